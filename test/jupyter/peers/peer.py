#!/usr/bin/env python3
"""jupyter_client as a peer, over real sockets.

Reads one line of JSON from its input: { role, address, key, scheme, packer, count, seed }. Prints one line of JSON when it
is done. Roles:

  echo       a client's DEALER: sends back what it receives, from a message of its own
  speak      a client's DEALER: sends random messages and compares what comes back
  subscribe  a SUB: counts what it receives, and what jupyter_client refuses
"""

import json
import random
import sys

import zmq
from jupyter_client.session import Session

HARDENED = "countersign:hardened"
PIPELINED = 100


def session_of(order):
    packers = {"packer": "msgpack.packb", "unpacker": "msgpack.unpackb"} if order["packer"] == "msgpack" else {}
    return Session(key=order["key"].encode(), signature_scheme=order["scheme"], **packers)


def socket_of(kind, session, order):
    socket = zmq.Context.instance().socket(kind)
    socket.linger = 5000
    socket.rcvtimeo = 30000
    socket.sndhwm = socket.rcvhwm = 0
    if kind == zmq.DEALER:
        socket.identity = session.bsession
    else:
        socket.subscribe(b"")
    socket.connect(order["address"])
    return socket


TEXTS = [
    "", "plain", "\u0000\u0001\u001f", "\u2028\u2029", "\ufeffbom", "\U0001f469\u200d\U0001f52c", "e\u0301", "\uffff\ufdd0",
    "\"quoted\\\" \\u0041", "<IDS|MSG>", "__proto__", "\u202eright to left",
]


def random_value(roll, depth=0):
    kind = roll.randrange(9 if depth < 5 else 6)
    if kind == 0:
        return None
    if kind == 1:
        return roll.random() < 0.5
    if kind == 2:
        return roll.randrange(-(2**53) + 1, 2**53)
    if kind == 3:
        return roll.choice([0.5, -1.25e-300, 1.7e308, 1.0, 123456.789, roll.random()])
    if kind in (4, 5):
        return roll.choice(TEXTS) + "".join(chr(roll.choice([roll.randrange(32, 0xD800), roll.randrange(0xE000, 0x110000)])) for _ in range(roll.randrange(4)))
    if kind == 6:
        return [random_value(roll, depth + 1) for _ in range(roll.randrange(4))]
    return random_dict(roll, depth + 1)


def random_dict(roll, depth=0):
    return {"k%d%s" % (i, roll.choice(["", " ", "\u00e9", "\"", "."])): random_value(roll, depth + 1) for i in range(roll.randrange(4))}


def random_buffers(roll):
    return [bytes(roll.getrandbits(8) for _ in range(roll.choice([0, 1, 50, 300]))) for _ in range(roll.choice([0, 0, 1, 3]))]


def echo(session, order):
    socket = socket_of(zmq.DEALER, session, order)
    session.send(socket, "comm_open", {})
    for _ in range(order["count"]):
        idents, received = session.recv(socket, mode=0)
        assert idents == []
        received["metadata"].pop(HARDENED, None)
        session.send(
            socket,
            "comm_msg",
            received["content"],
            parent=received["header"],
            metadata=received["metadata"],
            buffers=[bytes(buffer) for buffer in received["buffers"]],
        )
    return {"echoed": order["count"]}


def speak(session, order):
    socket = socket_of(zmq.DEALER, session, order)
    roll = random.Random(order["seed"])
    waiting, equal = [], 0
    for number in range(order["count"] + PIPELINED):
        if number < order["count"]:
            sent = (random_dict(roll), random_dict(roll), random_buffers(roll))
            message = session.send(socket, "comm_msg", sent[0], metadata=sent[1], buffers=sent[2])
            waiting.append((message["header"]["msg_id"], *sent))
        if number >= PIPELINED and waiting:
            _, back = session.recv(socket, mode=0)
            back["metadata"].pop(HARDENED, None)
            came = (back["parent_header"]["msg_id"], back["content"], back["metadata"], [bytes(b) for b in back["buffers"]])
            expected = waiting.pop(0)
            assert came == expected, "sent %r, came back %r" % (expected, came)
            equal += 1
    return {"equal": equal}


def subscribe(session, order):
    socket = socket_of(zmq.SUB, session, order)
    delivered, refused = [], []
    while True:
        try:
            _, message = session.recv(socket, mode=0)
        except ValueError as error:
            refused.append(str(error).split(":")[0])
            continue
        content = message["content"]
        if content.get("probe") is not None:
            print(json.dumps({"heard": content["probe"]}), flush=True)
        elif content.get("last"):
            return {"delivered": delivered, "refused": refused}
        elif message["msg_type"] != "iopub_welcome":
            delivered.append(content["n"])


def main():
    order = json.loads(sys.stdin.readline())
    session = session_of(order)
    result = {"echo": echo, "speak": speak, "subscribe": subscribe}[order["role"]](session, order)
    zmq.Context.instance().destroy(linger=5000)
    print(json.dumps(result), flush=True)


if __name__ == "__main__":
    main()
