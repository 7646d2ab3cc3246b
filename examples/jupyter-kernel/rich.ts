// What cells can say besides text: display(), html``, md``, svg``, input(), page(), clear(). A value shows itself by the method
// Symbol.for("Jupyter.display"), as in Deno; PNG and JPEG bytes are images.
import { inspect } from "node:util";
import type { MimeBundle } from "countersign/jupyter";

const DISPLAY = Symbol.for("Jupyter.display");

export function toBundle(value: unknown): MimeBundle {
  const plain = { "text/plain": inspect(value) };
  if (value instanceof Uint8Array) {
    const type = value[0] === 0x89 ? "image/png" : value[0] === 0xff ? "image/jpeg" : undefined;
    return type ? { ...plain, [type]: Buffer.from(value).toString("base64") } : plain;
  }
  const show = (value as { [DISPLAY]?: () => MimeBundle } | null | undefined)?.[DISPLAY];
  return typeof show === "function" ? show.call(value) : plain;
}

const tagged =
  (type: string) =>
  (texts: TemplateStringsArray, ...values: unknown[]) => {
    const text = String.raw({ raw: texts }, ...values);
    return { [DISPLAY]: () => ({ "text/plain": text, [type]: text }) };
  };

type Ask = (prompt: unknown, options: { password: boolean }) => Promise<string>;

export function globals(post: (...message: unknown[]) => void, ask: Ask) {
  const display = (value: unknown, { id }: { id?: string } = {}) => post("display", toBundle(value), { id });
  const update = (id: string, value: unknown) => post("updateDisplay", id, toBundle(value));
  return {
    display: Object.assign(display, { update }),
    html: tagged("text/html"),
    md: tagged("text/markdown"),
    svg: tagged("image/svg+xml"),
    clear: (wait = false) => post("clearOutput", { wait }),
    page: (text: unknown) => post("page", { "text/plain": String(text) }),
    input: (prompt: unknown = "") => ask(prompt, { password: false }),
    password: (prompt: unknown = "") => ask(prompt, { password: true }),
    exit: () => post("payload", { source: "ask_exit", keepkernel: false }),
  };
}
