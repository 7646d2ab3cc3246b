// What a hostile reading found: each of these got through, used up what was genuine, or stopped what should go on.

import { describe, expect, it } from "vitest";
import { clientOf, delivered, kernelOf, saidOf, testClock } from "./ends.js";

describe("a genuine signature over parts that are cut elsewhere (42)", () => {
  it.each(["json", "msgpack"] as const)("%s: is refused and uses nothing up", (packer) => {
    const clock = testClock();
    const kernel = kernelOf({ clock, packer });
    const plain = clientOf({ clock, packer, harden: false });
    const genuine = plain.serialize(plain.message("execute_request", { code: "1" }));
    const [delimiter, signature, header, parent, metadata, content] = genuine as [
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
      Buffer,
    ];
    const cut = [header, Buffer.concat([parent, metadata]), content, Buffer.alloc(0)];
    const shell = kernel.channel("shell");
    expect(saidOf(shell.deserialize([delimiter, signature, ...cut]))).toBe("undecodable");
    expect(delivered(shell.deserialize(genuine)).content).toEqual({ code: "1" });
    expect(saidOf(shell.deserialize(genuine))).toBe("replayed");
  });
});

describe("between two ends that harden", () => {
  it.each(["", "x", "<IDS|MSG"])("a frame put in front of what a DEALER gets: %j", (front) => {
    const clock = testClock();
    const [kernel, client] = [kernelOf({ clock }), clientOf({ clock })];
    const reply = kernel.message("execute_reply");
    const [, ...frames] = kernel
      .channel("shell")
      .serialize(reply, { identities: [Buffer.from("id")], to: client.id });
    const shell = client.channel("shell");
    expect(saidOf(shell.deserialize([Buffer.from(front), ...frames]))).toBe("malformed");
    expect(saidOf(shell.deserialize(frames))).toBe("ok");
  });
});
