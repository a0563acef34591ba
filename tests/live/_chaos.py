"""_chaos.py - callers and handlers of our own on real nodes, of which one after the other is
killed: each request has one outcome, in time and true, and each node's counts add up."""

import collections
import os
import random
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import SOURCE, check, wait_until  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "examples"))
import client as wire  # noqa: E402

PART, HANDLER, DIRECT, TO, FILTER, IDEMPOTENT = 27, 1, 4, 0x87, 0x88, 4
TIMEOUT_MS, GRACE_S = 5000, 3.0  # of a request; and what a busy machine adds to it
NEVER_SEEN = {"NO_HANDLER", "UNHANDLED", "NO_SUCH_SESSION", "DENIED", "OVERLOADED"}
PATH = "chaos/work"
OUTCOMES = ("ok", "rejected", "handler_error", "no_handler", "unhandled", "no_such_session",
            "denied", "overloaded", "handler_lost", "timeout", "cancelled", "other")


class Ask:
    def __init__(self, is_idempotent, is_to_filter):
        self.is_idempotent, self.is_to_filter = is_idempotent, is_to_filter
        self.executed = 0
        self.sessions = collections.Counter()  # of a filter: parts of each
        self.ends_at = time.monotonic() + TIMEOUT_MS / 1000 + GRACE_S


class Handler(wire.Client):
    """Serves the path, and requests to itself, and writes down what it did."""

    def __init__(self, server, asks):
        self.asks = asks
        super().__init__(server)
        for kind in (HANDLER, DIRECT):
            answer, fields, _ = self.call(wire.REGISTER, {1: kind, 2: PATH})
            check(answer == wire.DONE, f"registered: {fields}")

    def serve(self, fields, body, correlation):
        ask = self.asks.get(int(body))
        if ask is not None:
            ask.executed += 1
        self.send(wire.RESPONSE, {1: 0, 2: wire.STRING}, body, correlation)


    def drop(self):
        """Its node is gone. The monitor goes first: libzmq gives its name to the next socket."""
        self.monitor.close()
        self.socket.disable_monitor()
        self.socket.close(linger=0)


class Caller(wire.Client):
    """Keeps requests in flight; judges each outcome as it comes."""

    def __init__(self, server, asks, draw):
        self.asks, self.draw = asks, draw
        self.open, self.outcomes, self.retold = {}, collections.Counter(), 0
        super().__init__(server)

    def ask(self, number, targets):
        kind = self.draw.random()
        ask = Ask(kind < 0.25, kind > 0.99)
        fields = {1: PATH, 2: wire.STRING, 3: TIMEOUT_MS}
        if ask.is_idempotent:
            fields[IDEMPOTENT] = 1
        elif ask.is_to_filter:
            fields[FILTER] = "$ClientType is 'python'"
        elif kind > 0.85 and targets:
            fields[TO] = self.draw.choice(targets)
        self.last += 1
        self.asks[number], self.open[self.last] = ask, number
        self.send(wire.REQUEST, fields, str(number).encode(), self.last, wire.WANTS_ANSWER)

    def receive(self, kind, fields, body, correlation):
        if kind == PART and correlation in self.open:
            self.asks[self.open[correlation]].sessions[fields[1]] += 1
        elif kind in (wire.RESPONSE, wire.ERROR) and correlation not in self.waiting:
            check(correlation in self.open, f"a second outcome for {correlation}: {fields}")
            self.judge(self.open.pop(correlation), wire.number(fields, 1), body)
        else:
            super().receive(kind, fields, body, correlation)

    def judge(self, number, code, body):
        ask, outcome = self.asks.pop(number), wire.OUTCOMES.get(code, str(code))
        self.outcomes[outcome] += 1
        if ask.is_to_filter:
            check(all(times == 1 for times in ask.sessions.values()),
                  f"request {number}: a session is told of twice: {ask.sessions}")
            return
        check(ask.executed <= 1 or ask.is_idempotent, f"request {number} was executed twice")
        check(outcome != "OK" or (ask.executed > 0 and int(body) == number),
              f"request {number} is OK, and nobody did it")
        check(outcome not in NEVER_SEEN or ask.executed == 0,
              f"request {number} is {outcome}, and a handler had it")

    def judge_silence(self):
        now = time.monotonic()
        for number in self.open.values():
            check(now < self.asks[number].ends_at, f"request {number} has no outcome")


class Chaos:
    def __init__(self, mesh, seed):
        self.mesh, self.draw = mesh, random.Random(seed)
        self.first = mesh.start("a")
        self.others = [mesh.start(name, seeds=[self.first]) for name in "bc"]
        mesh.wait_agreed(self.first, *self.others)
        self.asks, self.handlers, self.asked = {}, {}, 0
        for node in self.others:
            self.equip(node)
        self.callers = [Caller(self.first.clients, self.asks, self.draw) for _ in range(4)]
        wait_until(lambda: len(mesh.json(self.first, "handler", "ls")["handlers"]) == 4,
                   "a knows the handlers")
        self.kills = 0

    def equip(self, node):
        self.handlers[node] = [Handler(node.clients, self.asks) for _ in range(2)]

    def turn(self, in_flight):
        """One look at every socket; asks so that so many are in flight."""
        targets = [h.session for pair in self.handlers.values() for h in pair]
        for caller in self.callers:
            while len(caller.open) < in_flight:
                self.asked += 1
                caller.ask(self.asked, targets)
        for client in [*self.callers, *(h for pair in self.handlers.values() for h in pair)]:
            for _ in range(8):
                if not client.socket.poll(0):
                    break
                client.progress(0)

    def kill_one(self):
        """Kills a node that has handlers, and starts another one in its place."""
        node = self.draw.choice(self.others)
        node.kill()
        self.kills += 1
        for handler in self.handlers.pop(node):
            handler.drop()
        self.others.remove(node)
        another = self.mesh.spawn(f"{node.node_name[0]}{self.kills}", seeds=[self.first])
        self.others.append(another)
        return another

    def run(self, requests, kills, kill_every_s, in_flight):
        """At least so many requests, and at least so many kills: how fast a machine asks must not
        decide whether anybody is killed meanwhile."""
        starting, kill_at = None, time.monotonic() + kill_every_s
        look_at = 0.0
        while True:
            is_asking = self.asked < requests or self.kills < kills or starting is not None
            if not is_asking and not any(caller.open for caller in self.callers):
                break
            self.turn(in_flight if is_asking else 0)
            now = time.monotonic()
            if now < look_at:
                continue
            look_at = now + 0.05
            for caller in self.callers:
                caller.judge_silence()
            if starting is not None and " ready" in starting.log():
                starting.wait_listening()
                self.equip(starting)
                starting = None
            elif starting is None and now >= kill_at and is_asking:
                starting, kill_at = self.kill_one(), now + kill_every_s
        self.judge(self.asked, kills)

    def judge(self, requests, kills):
        outcomes = sum((caller.outcomes for caller in self.callers), collections.Counter())
        print(f"  {requests} requests, {self.kills} kills: {dict(outcomes)}", flush=True)
        check(sum(outcomes.values()) == requests, f"one outcome each: {outcomes}")
        check(outcomes["OK"] > requests * 0.8, f"and most are OK: {outcomes}")
        check(self.kills >= kills, f"nodes were killed: {self.kills}")
        for node in [self.first, *self.others]:
            counters = self.mesh.counters(node)
            told = sum(counters["requests_" + name] for name in OUTCOMES)
            check(counters["requests_received"] == told, f"{node.name}: received "
                  f"{counters['requests_received']}, outcomes {told}")
            parts = counters["parts_answered"] + counters["parts_failed"]
            check(counters["parts_sent"] == parts, f"{node.name}: the sessions of requests to "
                  f"filters add up: {counters['parts_sent']} {parts}")
        counters = self.mesh.counters(self.first)
        check(counters["requests_received"] == requests, "all of them were counted")
