// What both ends of an exchange have in common.

/** 1 to 64 visible ASCII characters, not beginning with `~`: a sender's name (docs/wire.md, section 2.1). */
const NAME = /^(?!~)[\x21-\x7e]{1,64}$/;

/** Is this a name? */
export function isName(text: string): boolean {
  return NAME.test(text);
}

/** Steps that a mechanism may take, at the most. */
export const MOST_STEPS = 8;
