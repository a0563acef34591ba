#!/usr/bin/env python3
"""client.py - a weft client in Python, written from proto/README.md alone.

    apt-get install python3-zmq
    ./client.py 127.0.0.1:7310 serve hello        # answers requests to "hello"
    ./client.py 127.0.0.1:7310 ask hello World    # asks, prints the answer
    ./client.py 127.0.0.1:7310 hold               # holds a session until it is closed

One session, one socket, one thread: enough to copy from. What a real client adds: reconnecting to
the addresses of WELCOME, and GRANT when it could be overrun."""

import struct
import sys
import time

import zmq

HELLO, WELCOME, REFUSED, PING, PONG, GOODBYE, DONE, ERROR = 1, 2, 3, 4, 5, 7, 8, 9
REQUEST, RESPONSE, REGISTER = 16, 17, 19
WANTS_ANSWER = 1
STRING = 2
OUTCOMES = {0: "OK", 1: "REJECTED", 2: "HANDLER_ERROR", 3: "NO_HANDLER", 4: "UNHANDLED",
            5: "NO_SUCH_SESSION", 6: "DENIED", 7: "OVERLOADED", 8: "HANDLER_LOST", 9: "TIMEOUT",
            10: "CANCELLED", 42: "CLUSTER_ROUTING"}
REASONS = {1: "closed_by_client", 2: "closed_by_controller", 3: "connection_lost",
           4: "queue_limit_reached", 5: "message_too_large", 6: "invalid_message",
           7: "access_denied", 8: "expired", 9: "internal_error", 10: "node_stopping",
           11: "moved"}


class Closed(Exception):
    """The session is over; the text says why."""


def fields_encode(fields):
    """{tag: int or bytes or str} -> tagged fields, ascending; zero and empty are left out."""
    out = b""
    for tag in sorted(fields):
        value = fields[tag]
        if isinstance(value, int):
            size = next(n for n in (1, 2, 4, 8) if value < 1 << (8 * n))
            value = value.to_bytes(size, "little")
        elif isinstance(value, str):
            value = value.encode()
        if len(value) < 254:
            out += struct.pack("<BB", tag, len(value)) + value
        else:
            out += struct.pack("<BBH", tag, 254, len(value)) + value
    return out


def fields_decode(data):
    """Tagged fields -> {tag: bytes}; what we do not know stays unused, as the rules ask."""
    out, at = {}, 0
    while at < len(data):
        tag, size = data[at], data[at + 1]
        at += 2
        if size >= 254:
            form = "<H" if size == 254 else "<I"
            size, = struct.unpack_from(form, data, at)
            at += struct.calcsize(form)
        out[tag] = data[at:at + size]
        at += size
    return out


def number(fields, tag):
    return int.from_bytes(fields.get(tag, b""), "little")


class Client:
    def __init__(self, server):
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 1000
        self.socket.reconnect_ivl = -1  # a new connection needs a new HELLO
        self.socket.connect("tcp://" + server)
        self.handlers = {}
        self.waiting = {}  # correlation -> the answer, once it is here
        self.last = 0
        self.ping_at = time.monotonic() + 30
        kind, fields, _ = self.call(HELLO, {1: 1, 2: 1, 4: "python",
                                            5: "Python " + sys.version.split()[0]})
        if kind != WELCOME:
            raise Closed("refused: " + fields.get(2, b"").decode())
        high, low = struct.unpack("<QQ", fields[2])
        self.session = f"{high:016x}-{low:016x}"
        self.node = fields[4].decode()

    def send(self, kind, fields=None, body=b"", correlation=0, flags=0):
        encoded = fields_encode(fields or {})
        self.socket.send(struct.pack("<4sBBH", b"WEFT", 1, 1, 0) +
                         struct.pack("<BBHIQ", kind, flags, len(encoded), len(body), correlation) +
                         encoded + body)

    def call(self, kind, fields, body=b"", timeout=10.0):
        """Sends what wants an answer; returns the answer as (kind, fields, body)."""
        self.last += 1
        correlation = self.last
        self.waiting[correlation] = None
        self.send(kind, fields, body, correlation, WANTS_ANSWER)
        deadline = time.monotonic() + timeout
        while self.waiting[correlation] is None and time.monotonic() < deadline:
            self.progress(deadline - time.monotonic())
        answer = self.waiting.pop(correlation)
        if answer is None:
            raise Closed(f"no answer within {timeout:g} s")
        return answer

    def progress(self, seconds):
        """Waits at most that long for one frame, and works on its messages."""
        seconds = min(seconds, max(0.0, self.ping_at - time.monotonic()))
        if self.socket.poll(int(seconds * 1000) + 1):
            frame = self.socket.recv()
            self.ping_at = time.monotonic() + 30
            at = 8  # behind the envelope
            while at < len(frame):
                kind, _, fields_size, body_size, correlation = \
                    struct.unpack_from("<BBHIQ", frame, at)
                at += 16
                fields = fields_decode(frame[at:at + fields_size])
                body = frame[at + fields_size:at + fields_size + body_size]
                at += fields_size + body_size
                self.receive(kind, fields, body, correlation)
        elif time.monotonic() >= self.ping_at:
            self.send(PING)
            self.ping_at = time.monotonic() + 30

    def receive(self, kind, fields, body, correlation):
        if kind == PING:
            self.send(PONG, correlation=correlation)
        elif kind == GOODBYE:
            reason = number(fields, 1)
            raise Closed(f"{REASONS.get(reason, reason)} {fields.get(2, b'').decode()}".strip())
        elif kind == REQUEST:
            self.serve(fields, body, correlation)
        elif correlation in self.waiting:
            self.waiting[correlation] = (kind, fields, body)

    def serve(self, fields, body, correlation):
        path = fields[1].decode()
        handler = next(self.handlers[p] for p in sorted(self.handlers, key=len, reverse=True)
                       if path == p or path.startswith(p + "/"))
        try:
            answer = handler(path, body.decode()).encode()
            self.send(RESPONSE, {1: 0, 2: STRING}, answer, correlation)
        except Exception as error:  # the caller is told, whatever it was
            self.send(RESPONSE, {1: 2, 3: str(error)[:1024]}, correlation=correlation)

    def handle(self, path, handler):
        """Serves the path and all below it: handler(path, text) -> text."""
        self.handlers[path] = handler
        kind, fields, _ = self.call(REGISTER, {1: 1, 2: path})
        if kind != DONE:
            raise Closed("not registered: " + fields.get(2, b"").decode())

    def request(self, path, text, timeout_ms=10000):
        """Asks; returns (outcome, text): the response, or a sentence that says what happened."""
        kind, fields, body = self.call(REQUEST, {1: path, 2: STRING, 3: timeout_ms}, text.encode(),
                                       timeout_ms / 1000 + 1)
        if kind == ERROR:
            return f"ERROR {number(fields, 1)}", fields.get(2, b"").decode()
        outcome = number(fields, 1)
        text = body.decode() if outcome == 0 else fields.get(3, b"").decode()
        return OUTCOMES.get(outcome, str(outcome)), text

    def close(self):
        self.send(GOODBYE, {1: 1})
        self.socket.close()


def main(words):
    if len(words) < 3 or words[2] not in ("serve", "ask", "hold") or \
            len(words) != {"serve": 4, "ask": 5, "hold": 3}[words[2]]:
        sys.exit(f"usage: {words[0]} HOST:PORT serve PATH | ask PATH TEXT | hold")
    try:
        client = Client(words[1])
        print(f"session {client.session} on node {client.node}", file=sys.stderr, flush=True)
        if words[2] == "ask":
            outcome, text = client.request(words[3], words[4])
            print(text if outcome == "OK" else f"{outcome}: {text}")
            client.close()
            sys.exit(0 if outcome == "OK" else 1)
        if words[2] == "serve":
            client.handle(words[3], lambda path, text: f"hello {text}, this is Python")
            print(f"serving {words[3]}", file=sys.stderr, flush=True)
        while True:
            client.progress(1.0)
    except Closed as why:
        sys.exit(str(why))
    except KeyboardInterrupt:
        client.close()


if __name__ == "__main__":
    main(sys.argv)
