// What a codec is: the one step between the frames of a verified message and the value that an application works
// with. It runs behind the four questions, so it never sees a byte that no key holder signed.

/**
 * Turns the body of a message into one typed value and back. `Out` is what arrives, `In` what may be sent.
 *
 * With a codec a message keeps the frames that ZeroMQ routes by, and its whole body is one value: a Router
 * receives `[id, value]`, a Dealer `[value]`, a Subscriber `[topic, value]`, and `send` takes the same shapes.
 */
export interface Codec<Out, In = Out> {
  /** What the codec is called in errors and logs. */
  readonly name: string;
  /**
   * From a value to body frames.
   * @throws TypeError for a value that the codec cannot carry unchanged, or that is over a limit.
   */
  encode(value: In): Uint8Array[];
  /**
   * From body frames to a value, after verification. Neither keeps nor changes the frames.
   * @throws CodecError when the frames do not decode, or the schema does not accept the value. A codec whose
   * schema is asynchronous gives a promise instead, which rejects with it.
   */
  decode(frames: readonly Buffer[]): Out | Promise<Out>;
}
