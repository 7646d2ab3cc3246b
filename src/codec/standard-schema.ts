// The Standard Schema interface, version 1 (https://standardschema.dev), as its specification invites libraries to
// declare it: valibot, zod, arktype and others implement it, and no dependency is needed to take them.

/** A schema of any library that implements Standard Schema: takes `Input`, gives `Output`. */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  /** The properties that the specification prescribes. */
  readonly "~standard": StandardSchemaV1.Properties<Input, Output>;
}

export declare namespace StandardSchemaV1 {
  /** What a schema says about itself. */
  interface Properties<Input = unknown, Output = Input> {
    /** Version of the specification. */
    readonly version: 1;
    /** Name of the library that made the schema. */
    readonly vendor: string;
    /** Checks an unknown value, and transforms it where the schema says so. */
    readonly validate: (value: unknown) => Result<Output> | Promise<Result<Output>>;
    /** The types, for inference alone. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined;
  }

  /** What a validation comes to: `issues` tells them apart. */
  type Result<Output> =
    | { readonly value: Output; readonly issues?: undefined }
    | { readonly issues: readonly Issue[] };

  /** One complaint. */
  interface Issue {
    /** In words. */
    readonly message: string;
    /** Where in the value. */
    readonly path?: readonly (PropertyKey | PathSegment)[] | undefined;
  }

  /** One step of a path. */
  interface PathSegment {
    /** Key or index. */
    readonly key: PropertyKey;
  }

  /** What a schema takes. */
  type InferInput<Schema extends StandardSchemaV1> = NonNullable<Schema["~standard"]["types"]>["input"];

  /** What a schema gives. */
  type InferOutput<Schema extends StandardSchemaV1> = NonNullable<Schema["~standard"]["types"]>["output"];
}
