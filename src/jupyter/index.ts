// countersign/jupyter: Jupyter's messaging protocol, byte-compatible with jupyter_client, and hardened between two ends
// that both use it (docs/jupyter.md).

export {
  type ExecuteOptions,
  type InputCallback,
  KernelClient,
  type KernelClientOptions,
  type KernelClientStats,
  type RequestOptions,
} from "./client/client.js";
export { KernelDiedError, RequestFailedError } from "./client/errors.js";
export { type ExecuteReply, Execution } from "./client/execution.js";
export type {
  ClearOutput,
  DisplayOutput,
  ErrorOutput,
  Output,
  ResultOutput,
  StreamOutput,
} from "./client/outputs.js";
export type { Patience } from "./client/pending.js";
export type {
  CompleteAnswer,
  InspectAnswer,
  IsCompleteAnswer,
  PastInput,
  PastInputs,
} from "./client/questions.js";
export { Comm, type CommListener, type CommMessage, type CommParts, Comms, type CommTarget } from "./comm.js";
export { addressOf, type ConnectionInfo, checkConnection } from "./connection.js";
export {
  type ConnectionListeners,
  type CreatedConnection,
  createConnectionFile,
  type NewConnection,
  readConnectionFile,
  runtimeDir,
  watchConnectionFile,
} from "./connection-file.js";
export { formatDate, parseDate } from "./date.js";
export { HARDENED_KEY } from "./hardened.js";
export { type EchoOptions, Heartbeat, HeartbeatEcho, type HeartbeatOptions } from "./heartbeat.js";
export { Cell, type DisplayOptions } from "./kernel/cell.js";
export type {
  Awaitable,
  CodeRequest,
  Completeness,
  Completions,
  ExecuteRequest,
  ExecuteResult,
  HistoryEntry,
  HistoryRequest,
  MimeBundle,
} from "./kernel/contents.js";
export { ExecutionError } from "./kernel/failure.js";
export type { KernelHandlers, RequestContext } from "./kernel/handlers.js";
export type { KernelDescription, LanguageInfo } from "./kernel/info.js";
export { Kernel, type KernelEnd, type KernelOptions, type KernelStats } from "./kernel/kernel.js";
export type { StreamName } from "./kernel/publisher.js";
export type { JupyterSocketStats } from "./line.js";
export {
  checkKernelSpec,
  type FoundSpec,
  findKernelSpec,
  installKernelSpec,
  jupyterPath,
  type KernelSpec,
  kernelsFolder,
  listKernelSpecs,
  removeKernelSpec,
} from "./manager/kernelspec.js";
export { type StartedKernel, type StartOptions, startKernel } from "./manager/manager.js";
export type { ProcessOptions } from "./manager/process.js";
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
export { JupyterSocket, type JupyterSocketOptions, type Recipient } from "./socket.js";
export {
  bindKernel,
  type ClientSockets,
  connectClient,
  type EndOptions,
  type KernelEndOptions,
  type KernelSockets,
} from "./sockets.js";
