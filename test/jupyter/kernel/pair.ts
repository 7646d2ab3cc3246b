// A kernel of the kit and a client of the kit, bound and connected in this process.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  createConnectionFile,
  Kernel,
  KernelClient,
  type KernelClientOptions,
  type KernelHandlers,
  type KernelOptions,
  type ReceivedMessage,
} from "countersign/jupyter";
import { onTestFinished } from "vitest";

/** What both ends are given. */
export interface PairOptions {
  readonly handlers?: Partial<KernelHandlers>;
  readonly kernel?: Partial<KernelOptions>;
  readonly client?: KernelClientOptions;
}

/** Both ends, ready; closed when the test is over. */
export async function pair({ handlers = {}, kernel: given = {}, client: asked = {} }: PairOptions = {}) {
  const folder = mkdtempSync(join(tmpdir(), "kernel-"));
  const { path, connection, release } = await createConnectionFile({ path: join(folder, "kernel.json") });
  const kernel = new Kernel({ ...given, handlers: { execute: () => undefined, ...handlers } });
  await kernel.bind(connection);
  release();
  const heard: ReceivedMessage[] = [];
  const client = await KernelClient.connect(connection, {
    ...asked,
    onMessage(message) {
      heard.push(message);
      asked.onMessage?.(message);
    },
  });
  onTestFinished(() => {
    client.close();
    kernel.close();
    rmSync(folder, { recursive: true, force: true });
  });
  return { kernel, client, connection, path, heard };
}

/** What iopub said of a request, in order: types, and states of status. */
export function saidOf(heard: readonly ReceivedMessage[], id: string): string[] {
  return heard
    .filter(({ parent_header }) => parent_header.msg_id === id)
    .map(({ header, content }) =>
      header.msg_type === "status" ? String(content.execution_state) : header.msg_type,
    );
}

/** A promise and what settles it. */
export function deferred<Value = void>() {
  let resolve!: (value: Value) => void;
  const promise = new Promise<Value>((settle) => {
    resolve = settle;
  });
  return { promise, resolve };
}
