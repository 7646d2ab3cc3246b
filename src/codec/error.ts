// What is thrown when a genuine message carries a body that cannot be used. It keeps its hands off the payload: no
// byte of it stands in the message, and what a schema says about it is cut to a fixed size.

import type { StandardSchemaV1 } from "./standard-schema.js";

/** `"undecodable"`: the body is not what the codec reads. `"invalid"`: it is, but the schema does not accept it. */
export type CodecErrorCode = "undecodable" | "invalid";

/** One complaint of a schema, in the schema's words, which may quote the payload. */
export interface CodecIssue {
  /** What the schema says, at most 200 characters. */
  readonly message: string;
  /** Where in the value: keys and indices from the outside in, at most 32, each at most 100 characters. */
  readonly path: readonly PropertyKey[];
}

/** How much of what a schema says is kept: hostile values can make a schema say very much. */
const KEPT = { issues: 16, messageCharacters: 200, pathSegments: 32, segmentCharacters: 100 };

/** A message that is genuine and new, but whose body does not decode or does not validate. */
export class CodecError extends Error {
  override readonly name = "CodecError";
  /** Which of the two it is; stable across versions, unlike the message. */
  readonly code: CodecErrorCode;
  /** The first 16 complaints of the schema; empty unless `code` is `"invalid"`. */
  readonly issues: readonly CodecIssue[];

  constructor(
    code: CodecErrorCode,
    message: string,
    options: ErrorOptions & { readonly issues?: readonly StandardSchemaV1.Issue[] } = {},
  ) {
    super(message, options);
    this.code = code;
    const { issues = [] } = options;
    // Not slice(): a library's own array class need not survive being constructed with a length.
    const kept = Math.min(issues.length, KEPT.issues);
    this.issues = Array.from({ length: kept }, (_, index) => bounded(issues[index]!));
  }
}

function bounded({ message, path = [] }: StandardSchemaV1.Issue): CodecIssue {
  return {
    message: String(message).slice(0, KEPT.messageCharacters),
    path: path.slice(0, KEPT.pathSegments).map(boundedKey),
  };
}

function boundedKey(segment: PropertyKey | StandardSchemaV1.PathSegment): PropertyKey {
  const key = typeof segment === "object" ? segment.key : segment;
  if (typeof key === "string") return key.slice(0, KEPT.segmentCharacters);
  return typeof key === "object" ? "[object]" : key;
}

/** The error for a body that the codec does not read. `why` speaks of sizes and kinds, never of contents. */
export function undecodable(why: string): CodecError {
  return new CodecError("undecodable", `The body of the message does not decode: ${why}.`);
}
