#!/usr/bin/env python3
"""CPython's own multiprocessing.connection, as a peer: cpython.py ROLE KEY [PORT].

listener: listens, prints its port, lets one client in.      client: connects to PORT.
twice:    connects to PORT twice, at once.                    zmq:    binds a PAIR (pyzmq), one frame a message.
Prints "ok", or the name of the exception, once for each connection.
"""

import sys
import threading
from multiprocessing import connection


def tell(text):
    print(text, flush=True)


def attempt(work):
    try:
        work()
        tell("ok")
    except Exception as error:
        tell(type(error).__name__)


def listen(key):
    with connection.Listener(("127.0.0.1", 0), authkey=key) as listener:
        tell(listener.address[1])
        attempt(lambda: listener.accept().close())


def connect(key, port):
    attempt(lambda: connection.Client(("127.0.0.1", port), authkey=key).close())


def frames(key):
    import zmq

    socket = zmq.Context.instance().socket(zmq.PAIR)
    socket.rcvtimeo = 20000
    tell(socket.bind_to_random_port("tcp://127.0.0.1"))

    class Connection:
        def send_bytes(self, data):
            socket.send(data)

        def recv_bytes(self, most=None):
            return socket.recv()

    def work():
        connection.deliver_challenge(Connection(), key)
        connection.answer_challenge(Connection(), key)

    attempt(work)
    socket.close(5000)


role, key = sys.argv[1], sys.argv[2].encode()
if role == "listener":
    listen(key)
elif role == "client":
    connect(key, int(sys.argv[3]))
elif role == "twice":
    threads = [threading.Thread(target=connect, args=(key, int(sys.argv[3]))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
elif role == "zmq":
    frames(key)
