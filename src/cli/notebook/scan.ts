// Where values stand in a JSON text that is known to be valid: enough to replace some and leave every other byte as it is.

/** From where to where a value stands. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** A member of an object. */
export interface Member extends Span {
  /** Where its name begins. */
  readonly nameStart: number;
}

/** The members of the object that begins at `start`, by name. */
export function membersAt(text: string, start: number): Map<string, Member> {
  const members = new Map<string, Member>();
  let at = skipSpace(text, start + 1);
  while (text[at] !== "}") {
    const nameStart = at;
    const nameEnd = endOfValue(text, at);
    const value = skipSpace(text, skipSpace(text, nameEnd) + 1);
    const end = endOfValue(text, value);
    members.set(JSON.parse(text.slice(nameStart, nameEnd)), { nameStart, start: value, end });
    at = next(text, end);
  }
  return members;
}

/** The items of the array that begins at `start`. */
export function itemsAt(text: string, start: number): Span[] {
  const items: Span[] = [];
  let at = skipSpace(text, start + 1);
  while (text[at] !== "]") {
    const end = endOfValue(text, at);
    items.push({ start: at, end });
    at = next(text, end);
  }
  return items;
}

/** Behind the comma, or at the closing bracket. */
function next(text: string, end: number): number {
  const at = skipSpace(text, end);
  return text[at] === "," ? skipSpace(text, at + 1) : at;
}

export function skipSpace(text: string, from: number): number {
  let at = from;
  while (" \t\n\r".includes(text[at] ?? "x")) at++;
  return at;
}

function endOfValue(text: string, start: number): number {
  const first = text[start];
  if (first === '"') return endOfString(text, start);
  if (first !== "{" && first !== "[") {
    let at = start;
    while (at < text.length && !",]} \t\n\r".includes(text[at] as string)) at++;
    return at;
  }
  let depth = 0;
  for (let at = start; at < text.length; at++) {
    const character = text[at];
    if (character === '"') at = endOfString(text, at) - 1;
    else if (character === "{" || character === "[") depth++;
    else if ((character === "}" || character === "]") && --depth === 0) return at + 1;
  }
  return text.length;
}

function endOfString(text: string, start: number): number {
  let at = start + 1;
  while (text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}
