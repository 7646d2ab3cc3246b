// What cells can say besides text: display(), html``, md``, svg``, input(), page(), clear(). A value shows itself by the method
// Symbol.for("Jupyter.display"), as in Deno, or toMimeBundle(); PNG and JPEG bytes are images.
import { inspect } from "node:util";
import type { MimeBundle } from "countersign/jupyter";
import type { FromRealm } from "./protocol.js";

const DISPLAY = Symbol.for("Jupyter.display");

export function toBundle(value: unknown): MimeBundle {
  const plain = { "text/plain": inspect(value) };
  if (value instanceof Uint8Array) {
    const type =
      value[0] === 0x89 ? "image/png" : value[0] === 0xff && value[1] === 0xd8 ? "image/jpeg" : undefined;
    return type ? { ...plain, [type]: Buffer.from(value).toString("base64") } : plain;
  }
  if (typeof value !== "object" || value === null) return plain;
  const { [DISPLAY]: show, toMimeBundle } = value as Record<PropertyKey, unknown>;
  const method = typeof show === "function" ? show : toMimeBundle;
  return typeof method === "function" ? (method.call(value) as MimeBundle) : plain;
}

const tagged =
  (type: string) =>
  (texts: TemplateStringsArray, ...values: unknown[]) => {
    const text = String.raw({ raw: texts }, ...values);
    return { [DISPLAY]: () => ({ "text/plain": text, [type]: text }) };
  };

export function installGlobals(
  post: (message: FromRealm) => void,
  ask: (prompt: string, password: boolean) => Promise<string>,
): void {
  const display = (value: unknown, { id, raw = false }: { id?: string; raw?: boolean } = {}) =>
    post({
      kind: "display",
      data: raw ? (value as MimeBundle) : toBundle(value),
      ...(id && { display: id }),
    });
  const globals = {
    display: Object.assign(display, {
      update: (id: string, value: unknown) => post({ kind: "update", display: id, data: toBundle(value) }),
    }),
    html: tagged("text/html"),
    md: tagged("text/markdown"),
    svg: tagged("image/svg+xml"),
    clear: (wait = false) => post({ kind: "clear", wait }),
    page: (text: unknown) => post({ kind: "page", data: { "text/plain": String(text) } }),
    input: (prompt = "") => ask(String(prompt), false),
    password: (prompt = "") => ask(String(prompt), true),
  };
  for (const [name, value] of Object.entries(globals)) {
    Object.defineProperty(globalThis, name, { value, writable: true, configurable: true });
  }
}
