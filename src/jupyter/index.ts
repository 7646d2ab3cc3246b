// countersign/jupyter: Jupyter's messaging protocol, byte-compatible with jupyter_client, and hardened between two ends
// that both use it (docs/jupyter.md).

export { formatDate, parseDate } from "./date.js";
export { HARDENED_KEY } from "./hardened.js";
export type {
  Channel,
  Dict,
  HardenedOrigin,
  Header,
  Message,
  ReceivedMessage,
  Role,
} from "./message.js";
export type { SessionOptions } from "./options.js";
export type { Packer } from "./packer.js";
export type { ChannelStats, JupyterVerdict } from "./receiver.js";
export { type ChannelSession, type Delivery, type MessageParts, Session } from "./session.js";
