#!/usr/bin/env python3
"""A verifier of Countersign wire version 1, written from docs/wire.md alone: Python 3 and its standard library.

As a program it runs test vectors:  verify.py FILE...   (prints what differs; exit code 1 if anything does)
As a module it gives `Receiver`, and `sign` for the other direction. Section numbers are those of docs/wire.md.
"""

import hashlib
import hmac
import json
import os
import struct
import sys

LABEL = b"countersign/1"
MAGIC = b"\xc1\x53"
REFUSED = bytes.fromhex("c153010700040000")
MAX_NUMBER = 2**53 - 1

# Section 3
INLINE, DELIMITED, TOPIC, BOUND, ADDRESSED, RECIPIENT_KEY, SEALED = (1 << bit for bit in range(7))
DATA, BATCH, HELLO, CHALLENGE, ECHO, SYNC = range(1, 7)

# Section 9
CONTROL_NAMES = {HELLO: "hello", CHALLENGE: "challenge", ECHO: "echo", SYNC: "sync"}
GREETING = (HELLO, CHALLENGE, ECHO)
TWO_WAY = ("router", "dealer", "req", "rep", "pair")
SUBSCRIBERS = ("sub", "xsub")
CONTROL_BYTES = 48

# Section 5
PATTERNS = ["pair", "pub", "sub", "req", "rep", "dealer", "router", "pull", "push", "xpub", "xsub"]
HEARS = {
    "router": ("dealer", "req", "router"),
    "dealer": ("router", "rep", "dealer"),
    "req": ("rep", "router"),
    "rep": ("req", "dealer"),
    "sub": ("pub", "xpub"),
    "xsub": ("pub", "xpub"),
    "xpub": ("xsub",),
    "pull": ("push",),
    "pair": ("pair",),
}


class Refused(Exception):
    """The reason for which a message is refused."""

    def __init__(self, reason, authentic=False):
        super().__init__(reason)
        self.reason = reason
        self.authentic = authentic


def demand(holds, reason, authentic=False):
    if not holds:
        raise Refused(reason, authentic)


# --- 1.4 and 2.2: notation and derivation -----------------------------------------------------------------------------


def mac(key, message):
    return hmac.new(key, message, hashlib.sha256).digest()


def prefixed(data):
    return struct.pack(">I", len(data)) + data


def extract(secret):
    return mac(LABEL, secret)


def expand(key, label, *args):
    fields = [label.encode()] + [arg.encode() for arg in args]
    return mac(key, prefixed(LABEL) + b"".join(map(prefixed, fields)) + b"\x01")


def holder(name):
    return name.split("~", 1)[0]


class Key:
    """One key of a keyring. `kind` is "master", "sender" or "stream"; `id` is the u32 of the header."""

    def __init__(self, secret, kind="master", sender=None, channel=None, key_id=None, **terms):
        self.secret, self.kind, self.sender, self.channel = secret, kind, sender, channel
        self.prk = extract(secret) if kind == "master" else None
        self.id = int.from_bytes(expand(self.prk, "key id")[:4], "big") if key_id is None else key_id
        self.not_before, self.not_after = terms.get("not_before"), terms.get("not_after")
        self.senders, self.channels = terms.get("senders"), terms.get("channels")

    def outside_its_time(self, now):
        """2.4; `now` in microseconds, the key's bounds in milliseconds."""
        if self.not_before is not None and now < self.not_before * 1000:
            return "key-not-yet-valid"
        if self.not_after is not None and now > self.not_after * 1000:
            return "key-expired"
        return None

    def of_holder(self, name):
        if self.kind == "master":
            return expand(self.prk, "sender", name)
        return self.secret if self.kind == "sender" and self.sender == name else None

    def for_message(self, sender, channel, pattern, recipient=None):
        """2.3: the key of the tag, or None where this key is out of scope. Names are holders, the pattern the sender's."""
        if self.senders is not None and sender not in self.senders:
            return None
        if self.channels is not None and channel not in self.channels:
            return None
        if recipient is not None:
            root = self.of_holder(recipient)
            return expand(root, "to", sender, channel) if root else None
        published = pattern in ("pub", "xpub")
        if self.kind == "stream":
            return self.secret if published and (self.sender, self.channel) == (sender, channel) else None
        root = self.of_holder(sender)
        return expand(root, "publish" if published else "channel", channel) if root else None


# --- 3 and 4: header and position -------------------------------------------------------------------------------------


class Header:
    """The fields of section 3, read by steps 1.3 to 1.5."""

    def __init__(self, frame):
        demand(len(frame) >= 3, "malformed")
        demand(frame[2] == 1, "unsupported-version")
        demand(len(frame) >= 40, "malformed")
        (self.kind, self.flags, pattern, reserved, length, self.key_id, self.ordinal) = struct.unpack(
            ">5B2I", frame[3:16]
        )
        self.epoch, self.sequence, self.sent_at = struct.unpack(">3Q", frame[16:40])
        demand(1 <= self.kind <= 8 and pattern <= 10 and not self.flags & 0x80 and reserved == 0, "malformed")
        demand(1 <= length <= 64 and len(frame) >= 40 + length, "malformed")
        demand(max(self.epoch, self.sequence, self.sent_at) <= MAX_NUMBER, "malformed")
        name = frame[40 : 40 + length]
        demand(all(0x21 <= byte <= 0x7E for byte in name) and name[:1] != b"~", "malformed")
        self.pattern = PATTERNS[pattern]
        self.sender = name.decode("ascii")
        self.bytes = frame[: 40 + length]

    def has(self, flag):
        return bool(self.flags & flag)


def position(pattern, hops, frames, sending):
    """Section 4: the index, and whether it is delimited."""
    if pattern in ("router", "dealer"):
        index = hops + (1 if pattern == "router" else 0)
        if index < len(frames) and len(frames[index]) == 0:
            return index + 1, True
        return index, False
    if pattern in ("req", "rep"):
        return 0, True
    topic_in_front = pattern in ("pub", "xpub") if sending else pattern in ("sub", "xsub")
    return (1 if topic_in_front else 0), False


# --- 6 and 12.1: layouts ----------------------------------------------------------------------------------------------


def read_payload(region, at, least, limits):
    """One payload; returns its frames and where it ends."""
    demand(len(region) - at >= 4, "malformed")
    (count,) = struct.unpack_from(">I", region, at)
    demand(count >= least, "malformed")
    demand(count <= limits["frames"], "too-large")
    demand(len(region) - at - 4 >= 4 * count, "malformed")
    lengths = struct.unpack_from(">%dI" % count, region, at + 4)
    demand(sum(lengths) <= limits["bytes"], "too-large")
    at += 4 + 4 * count
    demand(len(region) - at >= sum(lengths), "malformed")
    frames = []
    for length in lengths:
        frames.append(region[at : at + length])
        at += length
    return frames, at


def read_batch(region, least, limits, sequence):
    demand(len(region) >= 4, "malformed")
    (count,) = struct.unpack_from(">I", region)
    demand(count <= 256, "too-large")
    demand(count >= 1, "malformed")
    demand(len(region) <= limits["bytes"] + 4 * (limits["frames"] + 257), "too-large")
    bodies, at = [], 4
    for _ in range(count):
        frames, at = read_payload(region, at, least, limits)
        bodies.append(frames)
    demand(at == len(region), "malformed")
    demand(sequence + count - 1 <= MAX_NUMBER, "malformed")
    return bodies


def read_control(region):
    """Section 9: what is answered and asked, reached and known."""
    demand(len(region) == CONTROL_BYTES, "malformed")
    reached, known = struct.unpack(">2Q", region[32:])
    demand(max(reached, known) <= MAX_NUMBER, "malformed")
    return {"answer": region[:16].hex(), "ask": region[16:32].hex(), "reached": reached, "known": known}


def payload_of(frames):
    lengths = struct.pack(">%dI" % (len(frames) + 1), len(frames), *map(len, frames))
    return lengths + b"".join(frames)


# --- 8 and 10: memory -------------------------------------------------------------------------------------------------


class Stream:
    def __init__(self, since):
        self.since = since
        self.epoch = None
        self.begin(None, 1)

    def begin(self, epoch, first):
        self.epoch, self.first, self.last, self.seen = epoch, first, 0, set()
        self.doubt = -1


class Table:
    """8.2: the streams of one pattern, the least recently heard first."""

    def __init__(self, since, limit, window):
        self.since, self.limit, self.window, self.forgot = since, limit, window, False
        self.streams = {}
        self.nonces = {}

    def highest_heard(self):
        return max((stream.heard_at for stream in self.streams.values()), default=self.since)

    def check(self, header, count):
        """8.3: raises the reason for which the message is not new."""
        stream = self.streams.get(header.sender)
        if stream is None or header.epoch > stream.epoch:
            return
        demand(header.epoch == stream.epoch, "stale-epoch", True)
        if header.sequence <= stream.doubt:
            return
        if self.window == 0:
            demand(header.sequence > stream.last, "replayed", True)
            return
        for number in range(header.sequence, header.sequence + count):
            if number > stream.last:
                continue
            demand(number >= stream.first and stream.last - number < self.window, "below-window", True)
            demand(number not in stream.seen, "replayed", True)

    def remember(self, header, count, key_id, now):
        """8.3 and 8.4; returns whether the message is late."""
        heard_at = max(now, self.highest_heard())
        stream = self.streams.pop(header.sender, None)
        late = self.knows(stream, header) and header.epoch == stream.epoch and header.sequence < stream.last
        if stream is None:
            if len(self.streams) >= self.limit:
                self.forget(next(iter(self.streams)))
            stream = Stream(self.since)
        if stream.epoch is None or header.epoch > stream.epoch or stream.doubt >= 0:
            stream.begin(header.epoch, header.sequence)
        stream.last = max(stream.last, header.sequence + count - 1)
        if self.window > 0:
            stream.seen.update(range(header.sequence, header.sequence + count))
            stream.seen = {number for number in stream.seen if stream.last - number < self.window}
        stream.key_id, stream.heard_at = key_id, heard_at
        self.streams[header.sender] = stream
        return late

    def knows(self, stream, header):
        """8.2 and 8.6: is it of an epoch that is remembered, or a lower one, and not in doubt?"""
        if stream is None or header.epoch > stream.epoch:
            return False
        return header.epoch < stream.epoch or header.sequence > stream.doubt

    def ask(self, name):
        """8.6: the nonce that waits to be answered, or a new one."""
        return self.nonces.setdefault(name, os.urandom(16))

    def answered(self, name, nonce, epoch, reached, key_id, now):
        """8.6: an answer to the nonce that waits; good once."""
        if name not in self.nonces or self.nonces[name] != nonce:
            return "unasked"
        del self.nonces[name]
        return self.begin(name, epoch, reached, key_id, now)

    def begin(self, name, epoch, reached, key_id, now):
        """8.6: the stream begins at (epoch, reached), unless that is known already."""
        stream = self.streams.get(name)
        if stream is not None and epoch < stream.epoch:
            return "stale-epoch"
        if stream is not None and epoch == stream.epoch and stream.doubt < 0:
            return "begun"
        numbers = Numbers(name, epoch, reached + 1)
        self.remember(numbers, 0, key_id, now)
        return "begun"

    def forget(self, name):
        self.since = max(self.since, self.streams.pop(name).heard_at)
        self.nonces.pop(name, None)
        self.forgot = True

    def revoke(self, key_id, now):
        since = max(self.since, now, self.highest_heard())
        for name in [name for name, stream in self.streams.items() if stream.key_id == key_id]:
            self.forget(name)
        self.since = since


class Numbers:
    """As much of a header as a memory looks at."""

    def __init__(self, sender, epoch, sequence):
        self.sender, self.epoch, self.sequence = sender, epoch, sequence


class Counter:
    """Section 10: what was heard of one count."""

    def __init__(self, epoch, following):
        self.epoch, self.next, self.missing = epoch, following, set()

    def observe(self, epoch, ordinal, count, window, late):
        """How many messages are now known to be lost."""
        lost = 0
        if epoch != self.epoch or (ordinal < self.next and not late):
            lost = len(self.missing)
            self.epoch, self.next, self.missing = epoch, 1, set()
        if ordinal < self.next:
            self.missing -= set(range(ordinal, ordinal + count))
            return lost
        self.missing.update(range(self.next, ordinal))
        self.next = ordinal + count
        gone = {number for number in self.missing if number < self.next - window}
        self.missing -= gone
        return lost + len(gone)


# --- 12: verification -------------------------------------------------------------------------------------------------


class Receiver:
    """One receiver: a socket type on a channel, with its keys and its memory. Times in microseconds."""

    def __init__(self, pattern, channel, name, keys, since, **options):
        self.pattern, self.channel, self.name, self.keys, self.since = pattern, channel, name, list(keys), since
        self.fresh = options.get("fresh", False)
        self.hops = options.get("hops", 0)
        self.window = options.get("window", 0)
        self.skew = options.get("skew", 0)
        self.max_age = options.get("max_age")
        self.limits = {"frames": 65536, "bytes": 2**30, "streams": 2**20, **options.get("limits", {})}
        self.policy = options.get("policy", "enforce")
        self.revoked = set()
        self.tables = {heard: Table(since, self.limits["streams"], self.window) for heard in HEARS[pattern]}
        self.counters = {}

    def verify(self, frames, now, request_tag=None):
        """What becomes of a message: its deliveries and its origin, or the reason for which it is refused."""
        try:
            return self.accept(frames, now, request_tag)
        except Refused as refused:
            if refused.reason == "unsigned" and self.policy == "report":
                return {"ok": True, "delivered": [frames], "origin": None}
            return {"ok": False, "reason": refused.reason, "authentic": refused.authentic}

    def accept(self, frames, now, request_tag):
        index, delimited = position(self.pattern, self.hops, frames, sending=False)
        header = self.check_header(frames, index, delimited)
        topic, tag, covered, bodies = self.read_layout(frames, index, header)
        key = self.authenticate(header, topic, covered, tag, request_tag, now)
        mine = (header.sender, header.pattern) == (self.name, self.pattern)
        demand(not mine, "reflected", True)
        if header.kind in CONTROL_NAMES:
            return {"ok": False, "control": self.control_of(header, key, bodies)}
        table = self.tables[header.pattern]
        self.check_live(header, table, now)
        table.check(header, len(bodies))
        late = table.remember(header, len(bodies), key.id, now)
        lost = self.note_ordinal(header, topic, len(bodies), late)
        origin = {
            "sender": header.sender,
            "pattern": header.pattern,
            "keyId": "%08x" % key.id,
            "epoch": header.epoch,
            "sequence": header.sequence,
            "sentAt": header.sent_at,
            "addressed": header.has(ADDRESSED),
            "late": late,
        }
        verdict = {"ok": True, "delivered": [frames[:index] + body for body in bodies], "origin": origin}
        return {**verdict, "lost": lost} if lost else verdict

    def control_of(self, header, key, body):
        origin = {
            "sender": header.sender,
            "pattern": header.pattern,
            "keyId": "%08x" % key.id,
            "epoch": header.epoch,
            "sentAt": header.sent_at,
            "addressed": header.has(ADDRESSED),
        }
        return {"kind": CONTROL_NAMES[header.kind], **body, **origin}

    def takes(self, kind):
        """Step 1.6"""
        if kind in (DATA, BATCH):
            return True
        return self.pattern in SUBSCRIBERS if kind == SYNC else kind in GREETING and self.pattern in TWO_WAY

    def check_header(self, frames, index, delimited):
        """Steps 1.1 to 1.17."""
        demand(index < len(frames) and frames[index][:2] == MAGIC, "unsigned")
        frame = frames[index]
        demand(not (self.pattern == "req" and frame == REFUSED), "refused")
        header = Header(frame)
        from_server = header.pattern in ("router", "rep")
        demand(self.takes(header.kind), "unsupported")
        demand(header.pattern in HEARS[self.pattern], "wrong-pattern")
        demand(not header.has(SEALED), "unsupported")
        demand(header.has(TOPIC) == (self.pattern in ("sub", "xsub")), "malformed")
        demand(header.has(DELIMITED) == delimited, "wrong-envelope")
        demand(header.has(ADDRESSED) or not header.has(RECIPIENT_KEY), "malformed")
        control = header.kind in CONTROL_NAMES
        demand((header.sequence == 0) == control, "malformed")
        demand(not control or (header.has(INLINE) and header.ordinal == 0), "malformed")
        if header.kind == BATCH:
            fits = header.has(INLINE) and not header.has(DELIMITED) and not header.has(BOUND)
            demand(fits, "malformed")
        demand(not header.has(BOUND) or (from_server and header.has(ADDRESSED)), "malformed")
        demand(not header.has(BOUND) or self.pattern == "req", "unsupported")
        demand(header.has(ADDRESSED) or not from_server or self.pattern == "router", "not-addressed")
        demand(self.pattern != "req" or header.has(BOUND), "not-bound")
        return header

    def read_layout(self, frames, index, header):
        """Steps 1.18 and 1.19: topic, tag, what stands for P in the tag, and the bodies."""
        frame, begin = frames[index], len(header.bytes)
        behind = frames[index + 1 :]
        inline = header.has(INLINE)
        demand(len(frame) >= begin + 32, "malformed")
        demand(not behind if inline else len(frame) == begin + 32, "malformed")
        tag, region = frame[begin : begin + 32], frame[begin + 32 :]
        hidden = self.pattern in ("req", "rep")
        least = 0 if header.has(TOPIC) or (header.has(DELIMITED) and not hidden) else 1
        if not inline:
            demand(len(behind) >= least, "malformed")
            demand(len(behind) <= self.limits["frames"], "too-large")
            demand(sum(map(len, behind)) <= self.limits["bytes"], "too-large")
            covered, bodies = payload_of(behind), [behind]
        elif header.kind in CONTROL_NAMES:
            covered, bodies = region, read_control(region)
        elif header.kind == BATCH:
            covered, bodies = region, read_batch(region, least, self.limits, header.sequence)
        else:
            body, end = read_payload(region, 0, least, self.limits)
            demand(end == len(region), "malformed")
            covered, bodies = region, [body]
        topic = frames[index - 1] if header.has(TOPIC) else None
        return topic, tag, covered, bodies

    def authenticate(self, header, topic, covered, tag, request_tag, now):
        """Steps 2.1 to 2.3."""
        keys = [key for key in self.keys if key.id == header.key_id]
        demand(keys, "revoked-key" if header.key_id in self.revoked else "unknown-key")
        demand(not header.has(BOUND) or request_tag is not None, "not-bound")
        message = header.bytes + (b"" if topic is None else prefixed(topic)) + covered
        if header.has(ADDRESSED):
            message += prefixed(self.name.encode())
        if header.has(BOUND):
            message += prefixed(request_tag)
        recipient = holder(self.name) if header.has(RECIPIENT_KEY) else None
        another_tag, first_outside = False, None
        for key in keys:
            outside = key.outside_its_time(now)
            if outside is not None:
                first_outside = first_outside or outside
                continue
            secret = key.for_message(holder(header.sender), self.channel, header.pattern, recipient)
            if secret is None:
                continue
            if hmac.compare_digest(mac(secret, message), tag):
                return key
            another_tag = True
        raise Refused("bad-signature" if another_tag else first_outside or "key-out-of-scope")

    def check_live(self, header, table, now):
        """8.2"""
        demand(self.max_age is None or now - header.sent_at <= self.max_age, "too-old", True)
        stream = table.streams.get(header.sender)
        if table.knows(stream, header):
            return
        demand(header.epoch <= now + 86_400_000_000, "future-epoch", True)
        if header.has(BOUND) or (header.has(ADDRESSED) and self.fresh and not table.forgot):
            return
        since = table.since if stream is None else stream.since
        demand(header.sent_at > since + self.skew, "not-live", True)

    def note_ordinal(self, header, topic, count, late):
        """Section 10"""
        if header.ordinal == 0:
            return 0
        counter = (header.pattern, header.sender)
        if topic is not None:
            counter += ("topic", topic)
        elif header.has(ADDRESSED):
            counter += ("addressed",)
        elif self.hops != 0 or self.pattern == "rep":
            return 0
        known = self.counters.get(counter)
        if known is None:
            self.counters[counter] = Counter(header.epoch, header.ordinal + count)
            return 0
        return known.observe(header.epoch, header.ordinal, count, self.window, late)

    def revoke(self, key, now):
        """2.4 and 8.4"""
        self.keys.remove(key)
        if all(other.id != key.id for other in self.keys):
            self.revoked.add(key.id)
        for table in self.tables.values():
            table.revoke(key.id, now)


# --- 12.2: sending ----------------------------------------------------------------------------------------------------


def sign(frames, key, pattern, name, channel, numbers, to=None, request_tag=None, hops=0, inline=True):
    """The frames of one message of kind data. `numbers` is (epoch, sequence, sent-at, ordinal)."""
    index, delimited = position(pattern, hops, frames, sending=True)
    routing, body = frames[:index], frames[index:]
    flags = (INLINE if inline else 0) | (DELIMITED if delimited else 0)
    recipient, context, topic = None, b"", b""
    if pattern in ("pub", "xpub"):
        flags |= TOPIC
        topic = prefixed(routing[-1])
    if to is not None:
        flags |= ADDRESSED
        context = prefixed(to.encode())
        if key.kind == "master":
            flags |= RECIPIENT_KEY
            recipient = holder(to)
    if request_tag is not None:
        flags |= BOUND
        context += prefixed(request_tag)
    epoch, sequence, sent_at, ordinal = numbers
    header = MAGIC + struct.pack(">6B2I", 1, DATA, flags, PATTERNS.index(pattern), 0, len(name), key.id, ordinal)
    header += struct.pack(">3Q", epoch, sequence, sent_at) + name.encode()
    payload = payload_of(body)
    secret = key.for_message(holder(name), channel, pattern, recipient)
    tag = mac(secret, header + topic + payload + context)
    return routing + ([header + tag + payload] if inline else [header + tag] + body)


# --- vectors ----------------------------------------------------------------------------------------------------------


def frame_bytes(text):
    if isinstance(text, str):
        return bytes.fromhex(text)
    if isinstance(text, dict):
        return bytes.fromhex(text["repeat"]) * text["times"]
    return b"".join(map(frame_bytes, text))


def read_key(record):
    derived = record.get("derived", {"from": "master"})
    return Key(
        bytes.fromhex(record["secret"]),
        derived["from"],
        derived.get("sender"),
        derived.get("channel"),
        int(record["id"], 16),
        not_before=record.get("notBefore"),
        not_after=record.get("notAfter"),
        senders=record.get("senders"),
        channels=record.get("channels"),
    )


def run_vector(vector):
    """What differs between the vector and this verifier: a list of sentences."""
    settings = vector["receiver"]
    keys = [read_key(record) for record in vector["keys"]]
    options = {name: settings[name] for name in ("fresh", "hops", "window", "skew", "limits", "policy") if name in settings}
    place = (settings["pattern"], settings["channel"], settings["name"])
    receiver = Receiver(*place, keys, settings["since"], max_age=settings.get("maxAge"), **options)
    differences = []
    for number, message in enumerate(vector["messages"], 1):
        now = message.get("now", settings["now"])
        if "revoke" in message:
            receiver.revoke(keys[message["revoke"]], now)
        tag = bytes.fromhex(message["requestTag"]) if "requestTag" in message else None
        told = receiver.verify([frame_bytes(text) for text in message["frames"]], now, tag)
        expected = dict(message["expect"])
        if expected["ok"]:
            expected["delivered"] = [[frame_bytes(text) for text in frames] for frames in expected["delivered"]]
        if told != expected:
            differences.append("message %d: expected %s, got %s" % (number, expected, told))
    return differences


def found_table(vector):
    """The memory of a vector: what an earlier run left behind, in doubt or not."""
    table = Table(0, vector.get("streams", 2**20), vector.get("window", 0))
    for row in vector.get("found", []):
        stream = Stream(0)
        stream.begin(row["epoch"], row["last"] + 1)
        stream.last, stream.doubt = row["last"], -1 if row["certain"] else row["last"]
        stream.key_id, stream.heard_at = 1, 0
        table.streams[row["stream"]] = stream
    return table


def run_memory(vector):
    """What differs between the steps of the vector and this memory."""
    table, names, differences = found_table(vector), {}, []
    for now, step in enumerate(vector["steps"], 1):
        gives = None
        if "ask" in step:
            nonce = table.ask(step["ask"])
            known = [name for name, other in names.items() if other == nonce]
            expected, gives = step["nonce"], known[0] if known else None
            if not known and step["nonce"] not in names:
                names[step["nonce"]], gives = nonce, step["nonce"]
        elif "answered" in step:
            nonce = names.get(step["nonce"], bytes(16))
            expected = step["gives"]
            gives = table.answered(step["answered"], nonce, step["epoch"], step["reached"], 1, now)
        elif "begin" in step:
            expected = step["gives"]
            gives = table.begin(step["begin"], step["epoch"], step["reached"], 1, now)
        elif "claim" in step:
            expected, gives = step["gives"], claim_of(table, step["claim"], now)
        elif "known" in step:
            stream = table.streams.get(step["known"])
            expected, gives = step["gives"], 0 if stream is None else stream.epoch
        else:
            expected = gives
            table.revoke(step["revoke"], now)
        if gives != expected:
            differences.append("step %d: expected %s, got %s" % (now, expected, gives))
    return differences


def claim_of(table, claim, now):
    """8.6: a message whose tag has verified; live by other evidence only if the vector says so."""
    numbers, count = Numbers(claim["stream"], claim["epoch"], claim["sequence"]), claim.get("count", 1)
    stream = table.streams.get(claim["stream"])
    if not table.knows(stream, numbers) and not claim.get("live"):
        return "not-live"
    try:
        table.check(numbers, count)
    except Refused as refused:
        return refused.reason
    return "late" if table.remember(numbers, count, claim.get("keyId", 1), now) else "new"


def run_derivation(step):
    prk = extract(bytes.fromhex(step["secret"]))
    recipient = expand(prk, "sender", step["recipient"])
    sender = expand(prk, "sender", step["sender"])
    told = {
        "prk": prk.hex(),
        "keyId": expand(prk, "key id")[:4].hex(),
        "senderKey": sender.hex(),
        "channelKey": expand(sender, "channel", step["channel"]).hex(),
        "streamKey": expand(sender, "publish", step["channel"]).hex(),
        "recipientsSenderKey": recipient.hex(),
        "recipientKey": expand(recipient, "to", step["sender"], step["channel"]).hex(),
    }
    return ["%s: expected %s, got %s" % (name, step[name], told[name]) for name in told if told[name] != step[name]]


def main(paths):
    passed = failed = 0
    for path in paths:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        for vector in content.get("vectors", []) + content.get("derivations", []) + content.get("memories", []):
            run = run_vector if "messages" in vector else run_memory if "steps" in vector else run_derivation
            differences = run(vector)
            for difference in differences:
                print("%s: %s: %s" % (path, vector["name"], difference))
            failed += bool(differences)
            passed += not differences
    print("%d vectors agree, %d do not" % (passed, failed))
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
