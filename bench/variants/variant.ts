// What the benchmark compares: one way of protecting messages, as an application would use it.
// The same processes drive every variant; only what stands in its file differs.

/** As much of a socket as the sender uses. */
export interface SendingSocket {
  connect(address: string): void;
  send(message: Buffer[]): Promise<void>;
}

/** As much of a socket as the receiver uses. */
export interface ReceivingSocket extends AsyncIterable<Buffer[]> {
  bind(address: string): Promise<void>;
  readonly lastEndpoint: string | null;
}

/** A DEALER, which also hears answers. */
export interface AskingSocket extends SendingSocket {
  receive(): Promise<Buffer[]>;
}

/** A ROUTER, which also answers. */
export interface AnsweringSocket extends ReceivingSocket {
  send(message: Buffer[]): Promise<void>;
}

export interface Variant {
  dealer(): AskingSocket;
  router(): AnsweringSocket;
  publisher(): SendingSocket;
  subscriber(): ReceivingSocket & { subscribe(topic: Buffer): void };
  /** What the application itself does before `send`; the first `lead` frames are those ZeroMQ routes by. */
  sign?(message: Buffer[], lead: number): Buffer[];
  /** What the application itself does after `receive`. Throws when the message is bad. */
  verify?(message: Buffer[], lead: number): Buffer[];
}

/** Made anew for every run, and handed to both ends. */
export interface Credentials {
  readonly secret: Buffer;
  readonly server: KeyPair;
  readonly client: KeyPair;
}

export interface KeyPair {
  readonly publicKey: string;
  readonly secretKey: string;
}

/** What every PUB of the benchmark publishes under. */
export const topic = Buffer.from("bench");

/**
 * PUB drops what exceeds its high-water mark. Here the sender keeps at most a window of messages under way
 * (bench/pacing.ts), so that mark is lifted rather than met.
 */
export const unlimited = { publisher: { sendHighWaterMark: 0 }, subscriber: { receiveHighWaterMark: 0 } };
