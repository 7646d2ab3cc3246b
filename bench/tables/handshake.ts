// Handshakes: what they cost a server, what new keys cost those who talk, and what a storm came to.

import type { Handshakes } from "../handshake.js";
import { integer, range, table } from "./table.js";

export function handshakeTable({ rates, refusals, renewals, storm }: Handshakes): string {
  const { messages, lost, renewed, pause, without } = renewals;
  const { clients, loggedIn, hellos, opens, millis, pending, before, after } = storm;
  return [
    table(
      "server's side of a handshake",
      ["a second"],
      rates.map(({ label, perSecond }) => [label, [range(perSecond, 0)]]),
    ),
    "",
    `A login that is refused, of a user that the server has: ${range(refusals.known, 3)} ms; of one that it has not: ${range(refusals.unknown, 3)} ms.`,
    `${integer(messages)} messages of 64 B, keys renewed ${integer(renewed)} times: ${integer(lost)} lost. Longest pause ${range(pause, 1)} ms; without renewals ${range(without, 1)} ms.`,
    `A storm of ${integer(hellos)} hellos in ${integer(millis)} ms, with ${integer(opens)} handshakes begun by one hostile peer: ${loggedIn} of ${clients} honest clients logged in; at most ${pending} under way at a time; ${before} MiB before, ${after} MiB after.`,
  ].join("\n");
}
