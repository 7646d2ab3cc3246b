// The lines that every attack is tried on, without an attack: what is sent is delivered, on every pair of patterns.

import { describe, expect, it } from "vitest";

import { Line } from "./attack.js";
import { FLOWS } from "./line.js";

describe.each(FLOWS)("$name", (flow) => {
  it.each([
    ["inline", {}],
    ["detached", { limits: { inline: 0 } }],
  ])("delivers honest messages, %s", async (_, sender) => {
    const line = await Line.open(flow, { sender });
    const { frames } = await line.honest();
    await line.honest();
    await line.honest([""]);
    expect(frames[flow.signatureAt]?.subarray(0, 3)).toEqual(Buffer.of(0xc1, 0x53, 1));
  });
});
