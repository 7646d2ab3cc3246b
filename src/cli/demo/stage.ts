// The sockets of the demonstration: signed, or plain for the control that shows what signing is for.

import * as zmq from "zeromq";
import { importJwks } from "../../core.js";
import { Dealer, Publisher, Router, Subscriber } from "../../sockets/classes.js";
import { originOf } from "../../sockets/message.js";
import type { SigningOptions } from "../../sockets/signing-options.js";
import type { Channel } from "./cast.js";
import { type Counters, report } from "./script.js";

/** The key set in an environment variable; none for the control. */
const keys = process.env.COUNTERSIGN_DEMO_KEYS;

/** Whether this run signs. */
const SIGNED = keys !== undefined;

/** How a party signs on a channel, and what it reports of what it refuses. */
function signing(sender: string, channel: Channel, more: Partial<SigningOptions> = {}): SigningOptions {
  return {
    key: importJwks(keys as string),
    sender,
    channel,
    onReject: ({ reason }) => report({ report: "refused", channel, reason }),
    onGap: ({ lost }) => report({ report: "gap", lost }),
    ...more,
  };
}

const linger = 0;

/** The kernel's shell. */
export function kernelShell(): zmq.Router {
  return SIGNED ? new Router({ linger, signing: signing("kernel", "shell") }) : new zmq.Router({ linger });
}

/** The kernel's iopub. */
export function kernelIopub(): zmq.Publisher {
  return SIGNED
    ? new Publisher({ linger, signing: signing("kernel", "iopub") })
    : new zmq.Publisher({ linger });
}

/** A client's shell. */
export function clientShell(name: string): zmq.Dealer {
  const options = { linger, routingId: name };
  return SIGNED ? new Dealer({ ...options, signing: signing(name, "shell") }) : new zmq.Dealer(options);
}

/** A client's iopub. */
export function clientIopub(name: string, window: number): zmq.Subscriber {
  return SIGNED
    ? new Subscriber({ linger, signing: signing(name, "iopub", { window }) })
    : new zmq.Subscriber({ linger });
}

/** Reports a delivered message: whose it is said to be, and all of it behind the routing. */
export function reportDelivered(
  channel: Channel,
  message: Buffer[],
  routing: number,
  claimed: string,
): string {
  const origin = originOf(message);
  const content = message.slice(routing).join("|");
  report({
    report: "delivered",
    channel,
    from: origin?.sender ?? claimed,
    late: origin?.late ?? false,
    content,
  });
  return content;
}

/** What a socket counted, but for `probes`; `undefined` for a plain one. */
export function countersOf(socket: object, probes = 0): Counters | undefined {
  const { stats } = socket as { stats?: Counters };
  return stats && { accepted: stats.accepted - probes, rejected: stats.rejected, lost: stats.lost };
}
