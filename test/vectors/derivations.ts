// Vectors of key derivation: every step from a secret to the keys of tags (docs/wire.md, section 2.2).

import { deriveSenderKey, deriveStreamKey, Key } from "../../src/core.js";
import { expand, extract } from "../../src/keys/hkdf.js";
import type { Derivation } from "./format.js";
import { OTHER_SECRET, SECRET } from "./lab.js";

function derivation(name: string, secret: Buffer, sender: string, channel: string, recipient: string) {
  const prk = extract(secret);
  const senderKey = deriveSenderKey(secret, sender).exportSecret();
  const recipientsSenderKey = deriveSenderKey(secret, recipient).exportSecret();
  return {
    name,
    secret: secret.toString("hex"),
    prk: prk.toString("hex"),
    keyId: new Key(secret).idText,
    sender,
    channel,
    recipient,
    senderKey: senderKey.toString("hex"),
    channelKey: expand(senderKey, "channel", channel).toString("hex"),
    streamKey: deriveStreamKey(secret, sender, channel).exportSecret().toString("hex"),
    recipientsSenderKey: recipientsSenderKey.toString("hex"),
    recipientKey: expand(recipientsSenderKey, "to", sender, channel).toString("hex"),
  } satisfies Derivation;
}

const LONG_SECRET = Buffer.from(Array.from({ length: 100 }, (_, i) => i + 1));
const PADDED = Buffer.concat([SECRET, Buffer.alloc(32)]);

export function derivations(): Derivation[] {
  return [
    derivation("plain", SECRET, "alice", "shell", "kernel"),
    derivation("another-secret", OTHER_SECRET, "alice", "shell", "kernel"),
    derivation("empty-channel", SECRET, "alice", "", "kernel"),
    derivation("channel-beyond-ascii", SECRET, "alice", "straße/東京", "kernel"),
    derivation("longest-names", SECRET, "s".repeat(64), "c".repeat(255), "r".repeat(64)),
    derivation("secret-longer-than-a-sha256-block", LONG_SECRET, "alice", "shell", "kernel"),
    derivation("zero-padding-makes-another-key", PADDED, "alice", "shell", "kernel"),
    derivation("names-that-join-alike-1", SECRET, "ab", "c", "d"),
    derivation("names-that-join-alike-2", SECRET, "a", "bc", "d"),
  ];
}
