// What inspect prints for one message, to the letter; and what it says of a message long after its signing. The
// messages are signed by a clock of last year, and so in a test file of their own: epochs only go up in one process.

import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { exportJwks, Keyring } from "../../src/core.js";
import { KEY, lines, signer } from "./captures.js";
import { countersign, scratchFolder } from "./run.js";

const scratch = scratchFolder();
const DAY = 86_400_000;
const start = Date.UTC(2025, 0, 31, 8, 0, 0) * 1000 + 123_456;
let now = start;
const kernel = signer("pub", { sender: "kernel-1", channel: "iopub", clock: () => now });
now += 61_000_000;
const published = kernel.sign(["stream.stdout", '{"text":"2\\n"}', Buffer.from([0, 1, 254, 255])]);

function keyFile(name: string, notAfter: number | undefined): string {
  const path = join(scratch, name);
  writeFileSync(path, JSON.stringify(exportJwks(new Keyring([KEY.withTerms({ notAfter })]))), {
    mode: 0o600,
  });
  return path;
}

test("the whole text of one message", async () => {
  const args = ["inspect", "--key", keyFile("keys.json", undefined), "--channel", "iopub"];
  const { code, stdout } = await countersign(args, { input: lines(published) });
  expect(code).toBe(0);
  expect(stdout.replace(/, [^,]* ago$/m, ", AGE ago")).toBe(`\
Signature  110 bytes, frame 2 of 2
    2  version   1
    3  kind      data              one message
    4  flags     inline            the body is in this frame, behind the tag
                 topic             the tag covers the topic, the frame in front
    5  pattern   PUB
    8  key id    ${KEY.idText}
   12  ordinal   1                 its number among those to this peer or topic
   16  epoch     1738310400123456  2025-01-31 08:00:00.123456 UTC, its sender's start
   24  sequence  1
   32  sent at   1738310461123456  2025-01-31 08:01:01.123456 UTC, AGE ago
   40  sender    kernel-1
   48  tag       ${published[1]?.toString("hex", 48, 80)}

In front  1 frame
  topic  13 B  "stream.stdout"

Body  inline, 2 frames, 18 bytes
  1  14 B  '{"text":"2\\\\n"}'
  2   4 B  00 01 fe ff

Verdict  accepted
  The tag fits under key ${KEY.idText}. A SUB on channel "iopub" would deliver it,
  had it just arrived.
  A live receiver would ask besides: was it signed after I began to remember
  (live), and is sequence 1 of epoch 1738310400123456 one that I have not seen
  (new)?
  Read as a SUB would receive it; --pattern and --hops choose another.
`);
});

test("a key that has expired since: the capture is judged as of its signing, and that is said", async () => {
  const args = ["inspect", "--json", "--channel", "iopub", "--key"];
  const expired = await countersign([...args, keyFile("since.json", Date.now() - DAY)], {
    input: lines(published),
  });
  expect(expired.code).toBe(0);
  const { verdict } = JSON.parse(expired.stdout);
  expect(verdict.explanation[0]).toMatch(/had it just arrived\.$/);
  expect(verdict.explanation[2]).toMatch(
    /^The key has expired since .*: arriving now, the message is refused as key-expired\.$/,
  );
});

test("a key that had expired before: refused", async () => {
  const args = ["inspect", "--channel", "iopub", "--key", keyFile("before.json", start / 1000 - DAY)];
  const { code, stdout } = await countersign(args, { input: lines(published) });
  expect(code).toBe(1);
  expect(stdout).toContain("refused: key-expired");
  expect(stdout).toContain(`At the moment of signing, key ${KEY.idText} was not valid.`);
});
