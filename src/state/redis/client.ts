// The user's own Redis client, ioredis or node-redis, told apart by what it can do. Neither is imported: the client is
// made, connected and closed by whoever passes it.

import { misuse } from "../../errors.js";
import type { Script } from "./script.js";

/** What is used of an ioredis client or cluster (5 or later). */
export interface IoredisClient {
  /** Runs a script that the server knows. */
  evalsha(sha1: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
  /** Runs a script, and lets the server know it. */
  eval(script: string, numberOfKeys: number, ...keysAndArguments: string[]): Promise<unknown>;
}

/** What is used of a node-redis client or cluster (package `redis`, 4 or later). */
export interface NodeRedisClient {
  /** Runs a script that the server knows. */
  evalSha(sha1: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
  /** Runs a script, and lets the server know it. */
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>;
}

/** A client of either kind. */
export type RedisClient = IoredisClient | NodeRedisClient;

/** Runs a script with these keys and arguments. Rejects where the client does. */
export type Run = (script: Script, keys: readonly string[], args: readonly string[]) => Promise<string[]>;

/** How scripts are run by this client. */
export function runnerOf(client: RedisClient): Run {
  const { bySha, byText } = isNodeRedis(client) ? nodeRedis(client) : ioredis(client);
  return async (script, keys, args) => {
    try {
      return textsOf(await bySha(script.sha1, keys, args));
    } catch (error) {
      // It was not run: the server does not know it, for it is new, restarted or another one.
      if (!String((error as Error | undefined)?.message).startsWith("NOSCRIPT")) throw error;
      return textsOf(await byText(script.text, keys, args));
    }
  };
}

type Call = (script: string, keys: readonly string[], args: readonly string[]) => Promise<unknown>;

function nodeRedis(client: NodeRedisClient): { bySha: Call; byText: Call } {
  const options = (keys: readonly string[], args: readonly string[]) => ({
    keys: [...keys],
    arguments: [...args],
  });
  return {
    bySha: (sha1, keys, args) => client.evalSha(sha1, options(keys, args)),
    byText: (text, keys, args) => client.eval(text, options(keys, args)),
  };
}

function ioredis(client: RedisClient): { bySha: Call; byText: Call } {
  if (!isIoredis(client)) {
    throw misuse(
      "ERR_COUNTERSIGN_OPTIONS",
      "client must be an ioredis client or one of node-redis 4 or later.",
    );
  }
  return {
    bySha: (sha1, keys, args) => client.evalsha(sha1, keys.length, ...keys, ...args),
    byText: (text, keys, args) => client.eval(text, keys.length, ...keys, ...args),
  };
}

function isNodeRedis(client: RedisClient): client is NodeRedisClient {
  return typeof (client as Partial<NodeRedisClient> | undefined)?.evalSha === "function";
}

function isIoredis(client: RedisClient): client is IoredisClient {
  return typeof (client as Partial<IoredisClient> | undefined)?.evalsha === "function";
}

/** Scripts answer with texts alone, which a client may be set to hand over as buffers. */
function textsOf(reply: unknown): string[] {
  return (Array.isArray(reply) ? reply : [reply]).map(String);
}
