#!/usr/bin/env python3
"""A peer of Countersign's sockets in another language: pyzmq, with verify.py between it and the wire.

Reads one line of JSON from its input: { secret, role, count, to, address }. Roles that bind print { "address": … }
first. Every message that arrives is answered where the socket type answers, and its verdict printed as one line of
JSON, frames in hexadecimal.
"""

import json
import sys
import time

import zmq

import verify

CHANNEL = "shell"
NAME = "python"


def microseconds():
    return time.time_ns() // 1000


class Peer:
    """One pyzmq socket with a signature on what it sends and a verifier before what it receives."""

    def __init__(self, role, secret):
        self.role = role
        self.key = verify.Key(secret)
        self.receiver = None
        if role in verify.HEARS:
            self.receiver = verify.Receiver(role, CHANNEL, NAME, [self.key], microseconds())
        self.epoch = microseconds()
        self.sequence = 0
        self.request_tag = None
        self.socket = zmq.Context.instance().socket(getattr(zmq, role.upper()))
        self.socket.linger = 5000
        self.socket.rcvtimeo = 20000

    def open(self, address):
        if address is not None:
            self.socket.connect(address)
            return
        port = self.socket.bind_to_random_port("tcp://127.0.0.1")
        tell({"address": "tcp://127.0.0.1:%d" % port})

    def send(self, frames, to=None, request_tag=None):
        self.sequence += 1
        numbers = (self.epoch, self.sequence, microseconds(), 0)
        inline = self.sequence % 2 == 1
        place = (self.key, self.role, NAME, CHANNEL, numbers)
        signed = verify.sign(frames, *place, to=to, request_tag=request_tag, inline=inline)
        if self.role == "req":
            self.request_tag = tag_of(signed[0])
        self.socket.send_multipart(signed)

    def receive(self):
        """The next message and its verdict, which is printed."""
        frames = self.socket.recv_multipart()
        verdict = self.receiver.verify(frames, microseconds(), self.request_tag)
        told = dict(verdict)
        if verdict["ok"]:
            told["delivered"] = [[frame.hex() for frame in message] for message in verdict["delivered"]]
        tell(told)
        return frames, verdict


def tag_of(frame):
    begin = 40 + frame[7]
    return frame[begin : begin + 32]


def tell(line):
    print(json.dumps(line), flush=True)


def ask(peer, count, to):
    """DEALER and REQ: asks `count` times and waits for each answer."""
    for number in range(1, count + 1):
        peer.send([b"question", b"", b"%d" % number], to=to)
        peer.receive()


def answer(peer, count, _):
    """ROUTER and REP: answers whoever asked, by the name that was verified."""
    for _ in range(count):
        frames, verdict = peer.receive()
        if not verdict["ok"]:
            continue
        message, origin = verdict["delivered"][0], verdict["origin"]
        asked_by_req = origin["pattern"] == "req"
        signature, _ = verify.position(peer.role, 0, frames, sending=False)
        request_tag = tag_of(frames[signature]) if asked_by_req else None
        peer.send(message[:signature] + [b"answer"] + message[signature:], origin["sender"], request_tag)


def publish(peer, count, _):
    """XPUB: publishes once somebody has subscribed."""
    topic = peer.socket.recv()[1:]
    for number in range(1, count + 1):
        peer.send([topic, b"news", b"%d" % number])


def subscribe(peer, count, _):
    peer.socket.subscribe(b"topic")
    hear(peer, count, None)


def hear(peer, count, _):
    for _ in range(count):
        peer.receive()


def push(peer, count, to):
    for number in range(1, count + 1):
        peer.send([b"job", b"%d" % number], to=to)


DOES = {
    "dealer": ask,
    "req": ask,
    "router": answer,
    "rep": answer,
    "xpub": publish,
    "sub": subscribe,
    "pull": hear,
    "push": push,
}


def main():
    given = json.loads(sys.stdin.readline())
    peer = Peer(given["role"], bytes.fromhex(given["secret"]))
    peer.open(given.get("address"))
    DOES[peer.role](peer, given["count"], given.get("to"))
    peer.socket.close()
    zmq.Context.instance().term()


if __name__ == "__main__":
    main()
