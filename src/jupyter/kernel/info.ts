// What a kernel says of itself (Jupyter messaging, "Kernel info").

import type { Dict } from "../message.js";

/** The version of the messaging protocol that this kit speaks. */
const PROTOCOL = "5.4";

/** The language of a kernel. Further fields (`codemirror_mode`, `pygments_lexer`) are carried through. */
export interface LanguageInfo {
  /** "typescript", "python", … */
  readonly name: string;
  /** Its version. Default "". */
  readonly version?: string | undefined;
  /** The MIME type of its files. Default "text/plain". */
  readonly mimetype?: string | undefined;
  /** How its files' names end, with the dot. Default ".txt". */
  readonly file_extension?: string | undefined;
  /** Whatever else clients understand. */
  readonly [field: string]: unknown;
}

/** What a kernel is. */
export interface KernelDescription {
  /** Its name. Default "countersign". */
  readonly implementation?: string | undefined;
  /** Its version. Default "0". */
  readonly implementationVersion?: string | undefined;
  /** What code it runs. Default: plain text. */
  readonly language?: LanguageInfo | undefined;
  /** What consoles say first. Default: its name. */
  readonly banner?: string | undefined;
  /** Links of a help menu. Default: none. */
  readonly helpLinks?: readonly { readonly text: string; readonly url: string }[] | undefined;
}

/** The content of `kernel_info_reply`. */
export function kernelInfo({
  implementation = "countersign",
  implementationVersion = "0",
  language = { name: "text" },
  banner = implementation,
  helpLinks = [],
}: KernelDescription): Dict {
  return {
    status: "ok",
    protocol_version: PROTOCOL,
    implementation,
    implementation_version: implementationVersion,
    language_info: { version: "", mimetype: "text/plain", file_extension: ".txt", ...language },
    banner,
    help_links: [...helpLinks],
    debugger: false,
  };
}
