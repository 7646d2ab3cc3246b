// `countersign/codec`: codecs for signed sockets, and the means to write one.

export type { Codec } from "./codec.js";
export { CodecError, type CodecErrorCode, type CodecIssue } from "./error.js";
export { json } from "./json.js";
export type { CodecLimits } from "./limits.js";
export { msgpack } from "./msgpack.js";
export { raw } from "./raw.js";
export type { CodecOptions } from "./single-value.js";
export type { StandardSchemaV1 } from "./standard-schema.js";
