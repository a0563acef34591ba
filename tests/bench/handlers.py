#!/usr/bin/env python3
"""How fast "nobody serves it" is said, how two equal handlers share, how soon a loss is told.

Usage: WEFT_BIN=build/release/bin tests/bench/handlers.py

Three real nodes on this machine, one Python client on a, handlers on b and c. Times are the
client's, its own work included.
"""

import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "live"), os.path.join(HERE, "..", "..", "examples")]
import client as wire  # noqa: E402
from _mesh import Mesh, wait_until  # noqa: E402

ASKED, SHARED, RATE, HELD, PATH = 5000, 10000, 1000, 100, "work"


class Handler(wire.Client):
    def __init__(self, server):
        self.served, self.is_mute = 0, False
        super().__init__(server)
        self.call(wire.REGISTER, {1: 1, 2: PATH})

    def serve(self, fields, body, correlation):
        self.served += 1
        if not self.is_mute:
            self.send(wire.RESPONSE, {1: 0, 2: wire.STRING}, body, correlation)


class Caller(wire.Client):
    def __init__(self, server):
        self.heard = []  # (when, outcome)
        super().__init__(server)

    def ask(self, number):
        self.send(wire.REQUEST, {1: PATH, 2: wire.STRING, 3: 9000}, b"x", (1 << 32) + number, 1)

    def receive(self, kind, fields, body, correlation):
        if kind == wire.RESPONSE and correlation not in self.waiting:
            self.heard.append((time.monotonic(), wire.number(fields, 1)))
        else:
            super().receive(kind, fields, body, correlation)


def turn(*clients):
    for client in clients:
        for _ in range(8):
            if not client.socket.poll(0):
                break
            client.progress(0)


def nobody(caller):
    times = []
    for _ in range(ASKED):
        started = time.perf_counter()
        outcome, _ = caller.request("nobody/here", "x")
        times.append((time.perf_counter() - started) * 1e3)
        assert outcome == "NO_HANDLER"
    times.sort()
    print(f"NO_HANDLER, {ASKED} one by one: p50 {times[ASKED // 2]:.3f} ms, "
          f"p99 {times[ASKED * 99 // 100]:.3f} ms, max {times[-1]:.3f} ms")


def share(caller, handlers):
    started, sent = time.monotonic(), 0
    while len(caller.heard) < SHARED:
        while sent < SHARED and sent < (time.monotonic() - started) * RATE:
            sent += 1
            caller.ask(sent)
        turn(caller, *handlers)
    parts = [100 * handler.served / SHARED for handler in handlers]
    print(f"two equal handlers, {SHARED} at {RATE}/s: {parts[0]:.1f} to {parts[1]:.1f} %")


def loss(caller, handlers, node):
    for handler in handlers:
        handler.is_mute, handler.served = True, 0
    caller.heard.clear()
    for number in range(HELD):
        caller.ask(SHARED + 1 + number)
    while sum(handler.served for handler in handlers) < HELD:
        turn(caller, *handlers)
    lost, killed = handlers[1].served, time.monotonic()
    node.kill()
    while len(caller.heard) < lost:
        turn(caller)
    assert all(outcome == 8 for _, outcome in caller.heard)
    print(f"{lost} in flight at a killed node: HANDLER_LOST "
          f"{(caller.heard[0][0] - killed) * 1e3:.0f} to "
          f"{(caller.heard[-1][0] - killed) * 1e3:.0f} ms behind the kill")
    handlers[0].is_mute = False
    caller.ask(SHARED + HELD + 1)
    while len(caller.heard) == lost:
        turn(caller, handlers[0])
    assert caller.heard[-1][1] == 0


def main():
    with Mesh() as mesh:
        a, b, c = mesh.trio()
        caller = Caller(a.clients)
        nobody(caller)
        handlers = [Handler(node.clients) for node in (b, c)]
        wait_until(lambda: len(mesh.json(a, "handler", "ls")["handlers"]) == 2, "a knows both")
        share(caller, handlers)
        loss(caller, handlers, c)


if __name__ == "__main__":
    main()
