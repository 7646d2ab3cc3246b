// SVG as text: elements with attributes and children, everything escaped.

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** An element; children are elements already, text is not. */
export function element(name: string, attributes: Attributes, ...children: readonly string[]): string {
  const set = Object.entries(attributes)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) => ` ${key}="${typeof value === "number" ? round(value) : escaped(value!)}"`);
  const open = `<${name}${set.join("")}`;
  return children.length === 0 ? `${open}/>` : `${open}>${children.join("")}</${name}>`;
}

export function text(content: string, attributes: Attributes): string {
  return element("text", attributes, escaped(content));
}

/** What a pointer that rests on the element shows, and a screen reader reads. */
export function title(content: string): string {
  return element("title", {}, escaped(content));
}

export interface Picture {
  readonly width: number;
  readonly height: number;
  /** What it is, in a few words, and what it shows, with its figures: for those who cannot see it. */
  readonly title: string;
  readonly description: string;
  readonly background: string;
  readonly font: string;
  readonly content: readonly string[];
}

export function document(picture: Picture): string {
  const { width, height, background, font, content } = picture;
  const root = element(
    "svg",
    {
      xmlns: "http://www.w3.org/2000/svg",
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-labelledby": "title desc",
      "font-family": font,
    },
    `\n${element("title", { id: "title" }, escaped(picture.title))}`,
    `\n${element("desc", { id: "desc" }, escaped(picture.description))}`,
    `\n${element("rect", { width, height, rx: 6, fill: background })}`,
    ...content.map((each) => `\n${each}`),
    "\n",
  );
  return `${root}\n`;
}

/** Hundredths of a pixel are enough, and make small files. */
const round = (value: number) => String(Math.round(value * 100) / 100);

const ESCAPES: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };
const escaped = (value: string) => value.replace(/[&<>"]/g, (character) => ESCAPES[character]!);
