"""_bombs.py - filters whose patterns were made to last, over many sessions: refused by name, and
the nodes serve meanwhile as if nothing were."""

import json
import os
import struct
import sys
import time

import zmq

from _mesh import BIN, SOURCE, check, wait_until

sys.path.insert(0, os.path.join(SOURCE, "examples"))
import client as wire  # noqa: E402

COMMAND, RESULT, CLOSE = 24, 25, 1
BOMB = "$SessionId matches '([0-9a-f-]+)+[xy]'"
IN_ONE_FRAME = 64


def message(kind, correlation, fields):
    encoded = wire.fields_encode(fields)
    return struct.pack("<BBHIQ", kind, wire.WANTS_ANSWER, len(encoded), 0, correlation) + encoded


def messages(frame):
    """(kind, correlation, fields) of each."""
    at = 8
    while at < len(frame):
        kind, _, size, body, correlation = struct.unpack_from("<BBHIQ", frame, at)
        at += 16
        yield kind, correlation, wire.fields_decode(frame[at:at + size])
        at += size + body


def many_in_one_frame(node):
    """So many bombs at once, of one session; the seconds until the last was answered."""
    sock = zmq.Context.instance().socket(zmq.DEALER)
    sock.linger = 0
    sock.connect("tcp://" + node.clients)
    head = struct.pack("<4sBBH", b"WEFT", 1, 1, 0)
    sock.send(head + message(wire.HELLO, 1, {1: 1, 2: 1, 4: "python"}))
    check(sock.poll(20000), "HELLO is answered")
    check(next(messages(sock.recv()))[0] == wire.WELCOME, "a session")
    sock.send(head + message(wire.GRANT, 0, {1: 0, 2: 1000, 3: 1 << 24}))
    begun = time.monotonic()
    sock.send(head + b"".join(message(COMMAND, 100 + i, {1: CLOSE, 3: BOMB})
                              for i in range(IN_ONE_FRAME)))
    answered = set()
    while len(answered) < IN_ONE_FRAME:
        check(sock.poll(20000), f"{len(answered)} of {IN_ONE_FRAME} are answered")
        for kind, correlation, fields in messages(sock.recv()):
            if kind == RESULT:
                check(wire.number(fields, 6) == 0, f"nothing was applied: {fields}")
                answered.add(correlation)
    sock.close()
    return time.monotonic() - begun


def one(mesh, node):
    """One bomb through weftctl; each node refuses it by name. Seconds, of the whole."""
    begun = time.monotonic()
    vector = mesh.json(node, "session", "close", "-f", BOMB, "--reason", "boom", code=None)
    taken = time.monotonic() - begun
    check(vector["applied"] == 0, f"nothing was applied: {vector}")
    for part in vector["nodes"]:
        check(part["error"] == "LIMIT_REACHED", f"named on each node: {part}")
    return taken


def serve_through_bombs(mesh, nodes):
    """Requests through all nodes all the while; none is lost or late, nobody is held dead."""
    before = {node: mesh.counters(node) for node in nodes}
    taken, batches = [], []
    load = mesh.run("weftbench", [os.path.join(BIN, "weftbench"), "req", "-s",
                                  ",".join(n.clients for n in nodes), "-c", "5", "-r", "200", "-d",
                                  "3s", "--warmup", "100ms", "--check", "--json", "-"])
    wait_until(lambda: mesh.counters(nodes[0])["requests_ok"] > before[nodes[0]]["requests_ok"] or
               load.process.poll() is not None, "requests go", 60)
    while load.process.poll() is None:
        taken.append(one(mesh, nodes[len(taken) % len(nodes)]))
        batches.append(many_in_one_frame(nodes[0]))
    check(taken, "there were bombs while requests went")
    check(load.wait_exit(60) == 0, f"every check holds:\n{load.log()}")
    report = json.loads(load.out())
    check(report["outcomes"] == {"OK": report["sent"]}, f"all OK: {report['outcomes']}")
    for node in nodes:
        after = mesh.counters(node)
        check(after["deaths"] == before[node]["deaths"], f"{node.node_name} holds nobody dead")
        check(after["filter_matches_limited"] > before[node]["filter_matches_limited"],
              f"{node.node_name} had to do with them")
    print(f"  {len(taken)} bombs answered after {min(taken) * 1000:.0f} to {max(taken) * 1000:.0f} "
          f"ms each, {IN_ONE_FRAME} of one frame after {max(batches) * 1000:.0f} ms at most; "
          f"requests meanwhile p99 {report['latency_us']['p99'] / 1000:.1f} ms")
