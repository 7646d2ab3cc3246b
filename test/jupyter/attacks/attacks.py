#!/usr/bin/env python3
"""The attacks of docs/jupyter.md on jupyter_client: prints what became of each, as one line of JSON."""

import json
import logging
import os
import random

import jupyter_client
from jupyter_client.session import Session
from traitlets import TraitError

KEY = b"a0436f6c-1916-498b-8eb9-e81ab9368e84"
logging.disable(logging.CRITICAL)
random.seed(1)


def pair(**options):
    return Session(key=KEY, **options), Session(key=KEY, **options)


def frames_of(session, kind="execute_request", buffers=()):
    return session.serialize(session.msg(kind, {"code": "1"}))[1:] + list(buffers)


def said(session, frames):
    try:
        session.deserialize(list(frames))
        return "delivered"
    except Exception as error:
        return "refused (%s)" % str(error).split(":")[0]


def forged_first():
    kernel, client = pair()
    genuine = frames_of(client)
    said(kernel, genuine[:4] + [b'{"evil": true}'])
    return "genuine one " + said(kernel, genuine)


def junk_then_replay():
    kernel, client = pair(digest_history_size=1024)
    genuine = [frames_of(client) for _ in range(100)]
    for frames in genuine:
        said(kernel, frames)
    for number in range(20000):
        said(kernel, [b"%064x" % number] + genuine[0][1:])
    delivered = sum(said(kernel, frames) == "delivered" for frames in genuine)
    return "%d of 100 replays delivered" % delivered


def huge_signature():
    kernel, client = pair()
    result = said(kernel, [b"a" * 2**20] + frames_of(client)[1:])
    kept = sum(len(digest) for digest in kernel.digest_history)
    return "%s, %s bytes kept" % (result, format(kept, ","))


def fresh_session():
    _, client = pair()
    recorded = frames_of(client)
    return said(pair()[0], recorded)


def reflected():
    _, client = pair()
    return said(client, frames_of(client))


def other_channel():
    shell, client = pair()
    return said(shell.clone(), frames_of(client))


def buffer_added():
    kernel, client = pair()
    return said(kernel, frames_of(client) + [b"added"])


def buffer_changed():
    kernel, client = pair()
    return said(kernel, frames_of(client, buffers=[b"one"])[:-1] + [b"two"])


def empty_key():
    kernel = Session(key=b"")
    frames = frames_of(pair()[1])
    return "taken, a line in the log; anything " + said(kernel, [b"anything"] + frames[1:])


def unknown_scheme():
    try:
        Session(key=KEY, signature_scheme="hmac-nothing")
        return "taken"
    except TraitError:
        return "refused"


def decoded_twice():
    kernel, client = pair()
    frames = frames_of(client)
    said(kernel, frames)
    return said(kernel, frames)


def cloned():
    kernel, client = pair()
    clone, frames = kernel.clone(), frames_of(client)
    said(kernel, frames)
    return said(clone, frames)


def forked():
    _, client = pair()
    client.pid = os.getpid() + 1
    sent = client.send(None, "execute_request", {})
    return "not sent, and no error" if sent is None else "sent"


ATTACKS = [
    forged_first,
    junk_then_replay,
    huge_signature,
    fresh_session,
    reflected,
    other_channel,
    buffer_added,
    buffer_changed,
    empty_key,
    unknown_scheme,
    decoded_twice,
    cloned,
    forked,
]

print(json.dumps({"version": jupyter_client.__version__, "outcomes": [attack() for attack in ATTACKS]}))
