"""Attacks: floods, storms and mutated frames on the three ports. The nodes live, their mesh stands,
honest sessions are served, and memory stays in bounds."""

import json
import os
import random
import socket
import struct
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import (SOURCE, check, raw_connect, read_exactly, resident_bytes,  # noqa: E402
                   run_tests, wait_until, zmtp_handshake)

MIB = 1 << 20
HELLO, WELCOME, REFUSED, GRANT, DONE, ERROR = 1, 2, 3, 6, 8, 9
REQUEST, RESPONSE, CANCEL, REGISTER, UNREGISTER = 16, 17, 18, 19, 20
OK, OVERLOADED, HANDLER_LOST, CANCELLED = 0, 7, 8, 10
INVALID_PATH, INVALID_MESSAGE, VERSION_MISMATCH = 36, 37, 46
BINARY = 3


def zmtp_frame(data):
    if len(data) < 256:
        return bytes([0, len(data)]) + data
    return b"\x02" + struct.pack(">Q", len(data)) + data


def field(tag, value):
    if isinstance(value, int):
        for size in (1, 2, 4, 8):
            if value < 1 << 8 * size:
                value = value.to_bytes(size, "little")
                break
    elif isinstance(value, str):
        value = value.encode()
    if len(value) <= 253:
        return bytes([tag, len(value)]) + value
    return bytes([tag, 254]) + struct.pack("<H", len(value)) + value


def message(kind, correlation=0, fields=b"", body=b"", flags=0):
    return struct.pack("<BBHIQ", kind, flags, len(fields), len(body), correlation) + fields + body


def request(correlation, path, body=b"", timeout_ms=0):
    fields = field(1, path) + field(2, BINARY) + (field(3, timeout_ms) if timeout_ms else b"")
    return message(REQUEST, correlation, fields, body, 1)


def envelope(channel, mesh=0, sender=0, receiver=0, sequence=1):
    head = b"WEFT" + bytes([1, channel, 0, 0])
    return head if channel == 1 else head + struct.pack("<QQQQ", mesh, sender, receiver, sequence)


def fnv1a(text):
    value = 0xcbf29ce484222325
    for byte in text.encode():
        value = (value ^ byte) * 0x100000001b3 % (1 << 64)
    return value


class Session:
    """A client by hand: frames of one connection, and what came back."""

    def __init__(self, node, properties=b"", grant=True):
        self.sock = raw_connect(node, "clients")
        zmtp_handshake(self.sock)
        self.buffer = b""
        hello = message(HELLO, 1, field(1, 1) + field(2, 1), properties, 1)
        self.sock.sendall(zmtp_frame(envelope(1) + hello))
        self.greeting = self.next()
        if grant and self.greeting[0] == WELCOME:
            most = (1 << 32) - 1
            self.send(message(GRANT, 0, field(2, most) + field(3, most)))

    def send(self, *messages):
        self.sock.sendall(zmtp_frame(envelope(1) + b"".join(messages)))

    def frame(self):
        flags, length = read_exactly(self.sock, 2)
        if flags & 2:
            length = struct.unpack(">Q", bytes([length]) + read_exactly(self.sock, 7))[0]
        data = bytearray()
        while len(data) < length:
            data += read_exactly(self.sock, min(length - len(data), 65536))
        return bytes(data), bool(flags & 4)

    def next(self):
        """(kind, correlation, fields, body) of the next message."""
        while not self.buffer:
            data, is_command = self.frame()
            if not is_command:
                check(data[:8] == envelope(1), f"an envelope: {data[:8]!r}")
                self.buffer = data[8:]
        kind, _, fields, body, correlation = struct.unpack_from("<BBHIQ", self.buffer)
        end = 16 + fields + body
        found = kind, correlation, self.buffer[16:16 + fields], self.buffer[16 + fields:end]
        self.buffer = self.buffer[end:]
        return found

    def expect(self, kind, correlation=None):
        while True:
            found = self.next()
            if found[0] == kind and correlation in (None, found[1]):
                return found

    def register(self, path):
        self.send(message(REGISTER, 77, field(1, 1) + field(2, path), b"", 1))
        self.expect(DONE, 77)

    def close(self):
        self.sock.close()


def outcome(fields):
    return int.from_bytes(fields[2:2 + fields[1]], "little")


def outcomes(session, correlations, limit_s=60):
    """Reads until each correlation has its response; says how many there were of each outcome."""
    missing, seen = set(correlations), {}
    session.sock.settimeout(limit_s)
    while missing:
        kind, correlation, fields, _ = session.next()
        if kind == RESPONSE:
            check(correlation in missing, f"one outcome for {correlation}, not two")
            missing.remove(correlation)
            seen[outcome(fields)] = seen.get(outcome(fields), 0) + 1
    return seen


def still_serves(mesh, *nodes):
    for node in nodes:
        check(node.process.poll() is None, f"{node.name} lives")
    mesh.wait_members(nodes[0], {node.node_name: "alive" for node in nodes})
    handler = mesh.ctl_stream(nodes[-1], "reply", "honest", "work")
    out, _ = mesh.ctl(nodes[0], "req", "--wait", "10s", "honest", "?")
    check(out.strip() == "work", f"an honest request is served: {out!r}")
    handler.kill()


def pair(mesh, *words):
    a = mesh.start("a", *words)
    b = mesh.start("b", *words, seeds=[a])
    mesh.wait_agreed(a, b)
    return a, b


def instances(mesh, node):
    return {n["name"]: int(str(n["instance"]), 16)
            for n in mesh.json(node, "node", "ls")["nodes"]}


def samples(channel):
    """Messages of the wire's own vectors, without their envelopes."""
    with open(os.path.join(SOURCE, "proto", "vectors.json")) as file:
        vectors = json.load(file)
    head = 8 if channel == "client" else 40
    return [bytes.fromhex(v["hex"])[head:] for part in ("valid", "accepted", "invalid")
            for v in vectors[part] if v.get("channel", channel) == channel]


def mutated(dice, data):
    data = bytearray(data)
    for _ in range(dice.choice((0, 1, 1, 2, 4))):
        if data:
            how, at = dice.randrange(4), dice.randrange(len(data))
            if how == 0:
                data[at] = dice.randrange(256)
            elif how == 1:
                data[at] ^= 1 << dice.randrange(8)
            elif how == 2:
                data[at] = dice.choice((0, 1, 127, 128, 253, 254, 255))
            else:
                del data[at:at + dice.randrange(1, 9)]
    return bytes(data)


def mutated_messages_of_clients_end_no_node(mesh):
    a, b = pair(mesh)
    dice, parts = random.Random(11), samples("client")
    for _ in range(150):
        session = Session(a)
        try:
            for _ in range(20):
                count = dice.choice((1, 3))
                session.send(*(mutated(dice, dice.choice(parts)) for _ in range(count)))
        except OSError:
            pass  # closed, as it may be
        session.close()
    still_serves(mesh, a, b)


def mutated_messages_of_strangers_end_no_node(mesh):
    """A stranger that knows everything but the keys there are not yet."""
    a, b = pair(mesh)
    ids, dice = instances(mesh, a), random.Random(12)
    for which, channel in (("gossip", 2), ("forward", 3)):
        parts = samples(which)
        for _ in range(150):
            sender = dice.randrange(1, 1 << 64)
            sock = raw_connect(a, which)
            zmtp_handshake(sock)
            try:
                for sequence in range(20):
                    head = envelope(channel, fnv1a("weft"), sender, ids["a"], sequence + 1)
                    sock.sendall(zmtp_frame(head + mutated(dice, dice.choice(parts))))
            except OSError:
                pass
            sock.close()
    check(a.process.poll() is None and b.process.poll() is None, "both live")
    mesh.ctl(a, "node", "ls")


def mutated_messages_in_a_members_name_end_no_node(mesh):
    a, b = pair(mesh)
    ids, dice = instances(mesh, a), random.Random(13)
    for which, channel in (("gossip", 2), ("forward", 3)):
        parts = samples(which)
        for _ in range(150):
            sock = raw_connect(a, which)
            zmtp_handshake(sock)
            try:
                for sequence in range(6):
                    head = envelope(channel, fnv1a("weft"), ids["b"], ids["a"], sequence + 1)
                    sock.sendall(zmtp_frame(head + mutated(dice, dice.choice(parts))))
            except OSError:
                pass
            sock.close()
    check(a.process.poll() is None and b.process.poll() is None, "both live")
    mesh.ctl(a, "node", "ls")


def connections_that_come_and_go_leave_nothing(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    descriptors = f"/proc/{a.pid}/fd"
    before, size = len(os.listdir(descriptors)), 0
    for turn in range(3000):
        sock = raw_connect(a, ("clients", "gossip", "forward")[turn % 3])
        if turn % 5 == 0:
            sock.sendall(b"\xff" + b"\0" * 8)
        sock.close()
        if turn == 1000:
            size = resident_bytes(a.pid)
    wait_until(lambda: len(os.listdir(descriptors)) <= before + 2, "the descriptors are back")
    check(resident_bytes(a.pid) - size < 64 * MIB, "memory does not grow with them")
    still_serves(mesh, a)


def sessions_that_come_and_go_leave_nothing(mesh):
    a, b = pair(mesh)
    for turn in range(200):
        session = Session(a, grant=turn % 2 == 0)
        session.send(message(REGISTER, 5, field(1, 1) + field(2, f"storm/{turn % 7}"), b"", 1),
                     request(9, f"storm/{turn % 5}", b"x"))
        session.close()
    wait_until(lambda: not [h for h in mesh.json(b, "handler", "ls")["handlers"]
                            if h["path"].startswith("storm")], "no handler stays")
    still_serves(mesh, a, b)


def hellos_with_all_they_may_carry(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)

    def group(key, value):
        fields = field(1, key) + field(2, value)
        return struct.pack("<I", len(fields)) + fields
    full = b"".join(group(f"k{i}", "v" * 4096) for i in range(128))
    held = [Session(a, full) for _ in range(50)]
    kinds = {session.greeting[0] for session in held}
    check(kinds <= {WELCOME, REFUSED}, f"each is welcome or refused: {kinds}")
    over = Session(a, b"".join(group(f"k{i}", "") for i in range(129)), grant=False)
    check(over.greeting[0] == REFUSED, "129 properties are refused")
    mesh.ctl(a, "session", "ls")
    for session in held:
        session.close()
    still_serves(mesh, a)


def a_pipeline_to_a_silent_handler_ends_once_each(mesh):
    a, b = pair(mesh)
    silent = Session(b)
    silent.register("silent")
    caller = Session(a)
    wait_until(lambda: [h for h in mesh.json(a, "handler", "ls")["handlers"]
                        if h["path"] == "silent"], "a knows the handler")
    count = 7168  # fewer than a session may have in flight: all end in the same instant
    for first in range(1, count + 1, 256):
        caller.send(*(request(n, "silent", b"x" * 16, 20000)
                      for n in range(first, first + 256)))
    for _ in range(count):  # what still waits on b would be routed again, and find no handler
        silent.expect(REQUEST)
    silent.close()
    seen = outcomes(caller, range(1, count + 1))
    check(seen == {HANDLER_LOST: count}, f"outcomes: {seen}")
    still_serves(mesh, a, b)


def a_caller_that_gives_up_does_not_end_its_handler(mesh):
    a, b = pair(mesh)
    handler = Session(b, grant=False)
    handler.register("patient")
    wait_until(lambda: [h for h in mesh.json(a, "handler", "ls")["handlers"]
                        if h["path"] == "patient"], "a knows the handler")
    count = 7168  # each leaves a REQUEST in the handler's queue; with as many CANCELs it is full
    caller = Session(a)
    for first in range(1, count + 1, 256):
        caller.send(*(request(n, "patient", b"", 60000) for n in range(first, first + 256)))
    wait_until(lambda: mesh.counters(b)["requests_received"] >= count or
               mesh.counters(a)["requests_received"] >= count, "all are on their way")
    caller.close()
    wait_until(lambda: mesh.json(a, "session", "ls")["total"] <= 2, "the caller is gone")
    handler.send(message(4, 5))  # PING
    handler.expect(5, 5)  # PONG
    check([h for h in mesh.json(a, "handler", "ls")["handlers"] if h["path"] == "patient"],
          "the handler is there")
    still_serves(mesh, a, b)


def large_values_cross_the_mesh_or_are_refused(mesh):
    a, b = pair(mesh)
    handler, caller = Session(b, grant=True), Session(a)
    handler.register("large")
    wait_until(lambda: [h for h in mesh.json(a, "handler", "ls")["handlers"]
                        if h["path"] == "large"], "a knows the handler")
    body = os.urandom(MIB - 200)
    for number in range(1, 41):
        caller.send(request(number, "large", body, 20000))
    time.sleep(0.5)
    handler.sock.settimeout(5)
    taken = 0
    try:
        while taken < 40:
            kind, correlation, _, got = handler.next()
            if kind == REQUEST:
                check(got == body, "the value came whole")
                taken += 1
                handler.send(message(RESPONSE, correlation, field(1, OK) + field(2, BINARY), b"y"))
    except socket.timeout:
        pass
    seen = outcomes(caller, range(1, 41))
    check(set(seen) <= {OK, OVERLOADED} and seen.get(OK, 0) == taken > 0, f"{seen}, taken {taken}")
    still_serves(mesh, a, b)


def storms_of_registrations_and_cancels_are_answered(mesh):
    a, b = pair(mesh)
    session, silent = Session(a), Session(b)
    silent.register("slow")
    for turn in range(2000):
        path = field(1, 1) + field(2, f"r/{turn % 50}")
        session.send(message(REGISTER, 2 * turn + 1000, path, b"", 1),
                     message(UNREGISTER, 2 * turn + 1001, path, b"", 1))
    for turn in range(2000):
        kind, correlation, _, _ = session.next()
        check((kind, correlation) == (DONE, 2 * turn + 1000), f"{kind} {correlation} {turn}")
        kind, correlation, _, _ = session.next()
        check((kind, correlation) == (DONE, 2 * turn + 1001), f"{kind} {correlation} {turn}")
    wait_until(lambda: [h for h in mesh.json(a, "handler", "ls")["handlers"]
                        if h["path"] == "slow"], "a knows the handler")
    for number in range(1, 5001):
        session.send(request(number, "slow", b"", 20000), message(CANCEL, number),
                     message(CANCEL, number))
    seen = outcomes(session, range(1, 5001))
    check(set(seen) <= {CANCELLED, OVERLOADED}, f"{seen}")
    still_serves(mesh, a, b)


def what_the_page_calls_a_mistake_is_answered(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    session = Session(a)
    session.send(request(0, "x"))
    _, correlation, fields, _ = session.expect(ERROR)
    check((correlation, outcome(fields)) == (0, INVALID_MESSAGE), "a request numbered 0")
    session.send(request(5, "a//b"))
    _, correlation, fields, _ = session.expect(RESPONSE)
    check((correlation, outcome(fields)) == (5, INVALID_PATH), "a path that is none")
    session.send(message(200, 6, b"", b"", 1))
    _, correlation, fields, _ = session.expect(ERROR)
    check((correlation, outcome(fields)) == (6, VERSION_MISMATCH), "an unknown kind")
    still_serves(mesh, a)


def a_stranger_in_a_members_name_silences_nobody(mesh):
    a, b = pair(mesh)
    ids = instances(mesh, a)
    strangers = []
    for which, channel in (("gossip", 2), ("forward", 3)):
        sock = raw_connect(a, which)
        zmtp_handshake(sock)
        head = envelope(channel, fnv1a("weft"), ids["b"], ids["a"])
        for _ in range(40):
            sock.sendall(zmtp_frame(head + b"no message"))
        strangers.append(sock)
    struck = wait_until(lambda: mesh.counters(a)["peer_frames_struck"] >= 40, "they are struck")
    check(struck, "their own connections are")
    end = time.monotonic() + 3  # a silenced member is held dead within two
    while time.monotonic() < end:
        check(mesh.members(a) == {"a": "alive", "b": "alive"}, "b is heard all the time")
        time.sleep(0.2)
    check("state=suspect" not in a.log(), "and never suspected")
    still_serves(mesh, a, b)


if __name__ == "__main__":
    run_tests([mutated_messages_of_clients_end_no_node,
               mutated_messages_of_strangers_end_no_node,
               mutated_messages_in_a_members_name_end_no_node,
               a_stranger_in_a_members_name_silences_nobody,
               connections_that_come_and_go_leave_nothing,
               sessions_that_come_and_go_leave_nothing,
               hellos_with_all_they_may_carry,
               a_pipeline_to_a_silent_handler_ends_once_each,
               a_caller_that_gives_up_does_not_end_its_handler,
               large_values_cross_the_mesh_or_are_refused,
               storms_of_registrations_and_cancels_are_answered,
               what_the_page_calls_a_mistake_is_answered])
