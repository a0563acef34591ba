#!/usr/bin/env python3
"""client.py - a weft client in Python, written from proto/README.md alone.

    apt-get install python3-zmq
    ./client.py 127.0.0.1:7310 serve hello        # answers requests to "hello"
    ./client.py 127.0.0.1:7310 ask hello World    # asks, prints the answer
    ./client.py 127.0.0.1:7310 watch 'prices/**'  # shows topics, and what becomes of them
    ./client.py 127.0.0.1:7310 set prices/tea 4   # sets a topic
    ./client.py 127.0.0.1:7310 hold               # holds a session until it is closed
    ./client.py --key me.key_secret --server-key peers/eu-a.key HOST ask hello World
                                                  # where the mesh has keys (weftctl key new)

One session, one socket, one thread: enough to copy from. It grants credit, holds what it sent
until the node has it, and resumes its session when the connection breaks. What a real client
adds: another node, of the addresses in WELCOME, and a new session there when this one is lost for
good."""

import collections
import struct
import sys
import time

import zmq
import zmq.auth

HELLO, WELCOME, REFUSED, PING, PONG, GRANT, GOODBYE, DONE, ERROR = range(1, 10)
REQUEST, RESPONSE, REGISTER = 16, 17, 19
SUBSCRIBE, UPDATE, UNSUBSCRIBED, SET, TOPIC = 64, 66, 67, 68, 71
WANTS_ANSWER = 1
STRING, INT64, DOUBLE = 2, 4, 5
SILENCE, RECONNECT = 30, 60  # seconds
OUTCOMES = {0: "OK", 1: "REJECTED", 2: "HANDLER_ERROR", 3: "NO_HANDLER", 4: "UNHANDLED",
            5: "NO_SUCH_SESSION", 6: "DENIED", 7: "OVERLOADED", 8: "HANDLER_LOST", 9: "TIMEOUT",
            10: "CANCELLED", 42: "CLUSTER_ROUTING"}
REASONS = {1: "closed_by_client", 2: "closed_by_controller", 3: "connection_lost",
           4: "queue_limit_reached", 5: "message_too_large", 6: "invalid_message",
           7: "access_denied", 8: "expired", 9: "internal_error", 10: "node_stopping",
           11: "moved"}


UNSUBSCRIBED_REASONS = {1: "requested", 2: "authorization", 3: "back_pressure", 4: "removed"}


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


def value_decode(kind, body):
    if kind == INT64:
        return int.from_bytes(body, "little", signed=True)
    if kind == DOUBLE:
        return struct.unpack("<d", body)[0]
    return body.decode(errors="replace")


class Client:
    def __init__(self, server, key_file=None, server_key_file=None):
        self.server = server
        self.session = self.token = self.socket = None
        self.keys = None
        if key_file is not None:
            public, secret = zmq.auth.load_certificate(key_file)
            self.keys = public, secret, zmq.auth.load_certificate(server_key_file)[0]
        self.handlers = {}
        self.watchers = {}  # selector -> what it was given to watch()
        self.waiting = {}  # correlation -> the answer, once it is here
        self.last = 0
        self.received = self.granted = 0   # numbered messages of the node
        self.bytes = 0                     # of them, since the last grant
        self.sent = collections.deque()    # ours that the node may not have yet, oldest first
        self.sent_before = 0               # and how many went before those
        self.connect()

    def connect(self):
        """A new connection: HELLO, and then the session begins or goes on."""
        if self.socket is not None:
            self.hang_up(linger=0)
        self.socket = zmq.Context.instance().socket(zmq.DEALER)
        self.socket.linger = 1000
        self.socket.reconnect_ivl = -1  # a new connection needs a new HELLO
        if self.keys is not None:
            self.socket.curve_publickey, self.socket.curve_secretkey, \
                self.socket.curve_serverkey = self.keys
        self.monitor = self.socket.get_monitor_socket(zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED)
        self.socket.connect("tcp://" + self.server)
        hello = {1: 1, 2: 1, 4: "python", 5: "Python " + sys.version.split()[0],
                 8: RECONNECT * 1000}
        if self.session is not None:
            hello.update({9: self.session, 10: self.token, 11: self.received})
        self.ping_at = time.monotonic() + SILENCE
        self.is_lost = False
        kind, fields, _ = self.call(HELLO, hello, timeout=5.0)
        if kind != WELCOME:
            raise Closed("refused: " + fields.get(2, b"").decode())

    def welcomed(self, fields):
        """Before anything that follows: both sides say again what the other has not got."""
        if self.session == fields[2]:
            self.received = number(fields, 11)  # what follows is number `received` + 1
            self.forget_sent(number(fields, 10))
            for message in self.sent:
                self.socket.send(message)
            if not number(fields, 9):  # something was lost: the snapshots once more
                for selector in self.watchers:
                    self.send(SUBSCRIBE, {1: selector})
        else:
            self.session, self.token = fields[2], fields[3]
            self.node = fields[4].decode()
        self.grant()

    def reconnect(self):
        """As long as the node keeps the session for us."""
        give_up = time.monotonic() + RECONNECT
        while True:
            try:
                self.connect()
                return
            except TimeoutError:
                if time.monotonic() >= give_up:
                    raise Closed("connection_lost") from None
                time.sleep(0.2)

    def session_id(self):
        return "%016x-%016x" % struct.unpack("<QQ", self.session)

    def grant(self):
        """Tells the node what we have, and what more it may send."""
        self.granted, self.bytes = self.received, 0
        self.send(GRANT, {1: self.received, 2: 1024, 3: 1 << 20})

    def forget_sent(self, received):
        while self.sent and self.sent_before < received:
            self.sent.popleft()
            self.sent_before += 1

    def send(self, kind, fields=None, body=b"", correlation=0, flags=0):
        encoded = fields_encode(fields or {})
        message = struct.pack("<4sBBH", b"WEFT", 1, 1, 0) + \
            struct.pack("<BBHIQ", kind, flags, len(encoded), len(body), correlation) + \
            encoded + body
        if kind > GOODBYE:  # numbered: it belongs to the session, not to the connection
            self.sent.append(message)
        if kind <= GOODBYE or not self.is_lost:
            self.socket.send(message)

    def call(self, kind, fields, body=b"", timeout=10.0):
        """Sends what wants an answer; returns the answer as (kind, fields, body)."""
        self.last += 1
        correlation = self.last
        self.waiting[correlation] = None
        self.send(kind, fields, body, correlation, WANTS_ANSWER)
        deadline = time.monotonic() + timeout
        while self.waiting[correlation] is None and time.monotonic() < deadline:
            if self.is_lost and kind == HELLO:
                break
            self.progress(deadline - time.monotonic())
        answer = self.waiting.pop(correlation)
        if answer is None:
            raise TimeoutError(f"no answer within {timeout:g} s")
        return answer

    def progress(self, seconds):
        """Waits at most that long for one frame, and works on its messages."""
        if self.is_lost:
            self.reconnect()
        wait = min(seconds, max(0.0, self.ping_at - time.monotonic()))
        if zmq.select([self.socket, self.monitor], [], [], wait + 0.001)[0] == [self.monitor]:
            self.is_lost = True  # and nothing of it is left to be read
            return
        if self.socket.poll(0):
            frame = self.socket.recv()
            self.ping_at = time.monotonic() + SILENCE
            at = 8  # behind the envelope
            while at < len(frame):
                kind, _, fields_size, body_size, correlation = \
                    struct.unpack_from("<BBHIQ", frame, at)
                at += 16
                fields = fields_decode(frame[at:at + fields_size])
                body = frame[at + fields_size:at + fields_size + body_size]
                at += fields_size + body_size
                if kind > GOODBYE:
                    self.received += 1
                    self.bytes += 16 + fields_size + body_size
                self.receive(kind, fields, body, correlation)
            if self.received - self.granted >= 64 or self.bytes >= 64 * 1024:
                self.grant()
        elif time.monotonic() >= self.ping_at:
            self.send(PING)
            self.ping_at = time.monotonic() + SILENCE

    def receive(self, kind, fields, body, correlation):
        if kind == PING:
            self.send(PONG, correlation=correlation)
        elif kind == GRANT:
            self.forget_sent(number(fields, 1))
        elif kind == WELCOME:
            self.welcomed(fields)
        elif kind == GOODBYE:
            reason = number(fields, 1)
            raise Closed(f"{REASONS.get(reason, reason)} {fields.get(2, b'').decode()}".strip())
        elif kind == REQUEST:
            self.serve(fields, body, correlation)
            return  # its correlation is the node's
        elif kind in (UPDATE, UNSUBSCRIBED):
            self.hear(kind, fields, body)
            return
        if correlation in self.waiting:
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

    def watch(self, selector, watcher):
        """Subscribes: watcher(path, value, mark) for each value, the ones there first; value is
        None, and mark says why, when no more comes of that path, or of the selector."""
        self.watchers[selector] = watcher
        kind, fields, _ = self.call(SUBSCRIBE, {1: selector})
        if kind != DONE:
            raise Closed("not subscribed: " + fields.get(2, b"").decode())

    def hear(self, kind, fields, body):
        """A topic that two selectors mean comes once: all watchers hear all."""
        path = (fields.get(1) or fields.get(2, b"")).decode()
        if kind == UPDATE:
            value = value_decode(number(fields, 2), body)
            mark = "snapshot" if number(fields, 6) else "resync" if number(fields, 7) else ""
        else:
            reason = number(fields, 3)
            value, mark = None, UNSUBSCRIBED_REASONS.get(reason, str(reason))
            if reason == 1:
                self.watchers.pop(path, None)
        for watcher in list(self.watchers.values()):
            watcher(path, value, mark)

    def set(self, path, text):
        """Sets a topic, and creates it if need be; raises what the mesh says against it."""
        kind, fields, _ = self.call(SET, {1: path, 2: STRING}, text.encode())
        if kind != TOPIC or number(fields, 1) != 0:
            raise Closed(f"not set: {number(fields, 1)} {fields.get(2, b'').decode()}")

    def hang_up(self, linger=None):
        """libzmq's thread writes to the monitor, and waits for ever for one that nobody reads any
        more: it is told to stop before either end is closed."""
        self.socket.disable_monitor()
        self.monitor.close()
        self.socket.close(linger)

    def close(self):
        self.send(GOODBYE, {1: 1})
        self.hang_up()

    def __del__(self):
        if self.socket is not None and not self.socket.closed:
            self.hang_up(linger=0)


def show(path, value, mark):
    print(path, f"({mark})" if value is None else value, mark if value is not None else "",
          flush=True)


def main(words):
    keys = []
    if len(words) > 5 and words[1] == "--key" and words[3] == "--server-key":
        keys = [words[2], words[4]]
        del words[1:5]
    counts = {"serve": 4, "ask": 5, "watch": 4, "set": 5, "hold": 3}
    if len(words) < 3 or len(words) != counts.get(words[2]):
        sys.exit(f"usage: {words[0]} [--key FILE --server-key FILE] HOST:PORT serve PATH | "
                 "ask PATH TEXT | watch SELECTOR | set PATH TEXT | hold")
    try:
        client = Client(words[1], *keys)
        print(f"session {client.session_id()} on node {client.node}", file=sys.stderr, flush=True)
        if words[2] == "ask":
            outcome, text = client.request(words[3], words[4])
            print(text if outcome == "OK" else f"{outcome}: {text}")
            client.close()
            sys.exit(0 if outcome == "OK" else 1)
        if words[2] == "set":
            client.set(words[3], words[4])
            client.close()
            return
        if words[2] == "watch":
            client.watch(words[3], show)
            print(f"watching {words[3]}", file=sys.stderr, flush=True)
        if words[2] == "serve":
            client.handle(words[3], lambda path, text: f"hello {text}, this is Python")
            print(f"serving {words[3]}", file=sys.stderr, flush=True)
        while True:
            client.progress(1.0)
    except (Closed, TimeoutError) as why:
        sys.exit(str(why))
    except KeyboardInterrupt:
        client.close()


if __name__ == "__main__":
    main(sys.argv)
