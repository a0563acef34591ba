"""_topics.py - clients that publish and watch by hand (examples/client.py), and what must hold of
what they saw: versions of a topic ascend, none is missing, none comes twice."""

import os
import random
import sys
import time

from _mesh import SOURCE, Failed, check, wait_until

sys.path.insert(0, os.path.join(SOURCE, "examples"))
import client as wire  # noqa: E402

OK, REPARTITION, UNKNOWN = 0, 43, 44
SUBSCRIBE, UNSUBSCRIBE, SET, REMOVE, FETCH, TOPICS = 64, 65, 68, 69, 70, 72
LIMIT_S = 60


class Update:
    """One value as it came."""

    def __init__(self, fields, body):
        self.path = fields[1].decode()
        self.version = tuple(wire.number(fields, tag) for tag in (3, 4, 5))
        self.is_snapshot, self.is_resync = (bool(wire.number(fields, tag)) for tag in (6, 7))
        self.text = body.decode()

    def __repr__(self):
        marks = "snapshot " * self.is_snapshot + "resync " * self.is_resync
        return f"{self.path}={self.text} {self.version[0]}.{self.version[2]} {marks}"


class Party(wire.Client):
    """A session that does not wait: what it asks is answered into `answers`, what it hears is kept
    in `heard`, by path."""

    def __init__(self, node):
        self.answers, self.heard, self.ended = {}, {}, []
        super().__init__(node if isinstance(node, str) else node.clients)

    def ask(self, kind, fields, body=b""):
        """Returns the number that its answer will have in `answers`."""
        self.last += 1
        self.send(kind, fields, body, self.last, wire.WANTS_ANSWER)
        return self.last

    def set_later(self, path, text, **fields):
        return self.ask(SET, {1: path, 2: wire.STRING, **{int(k[1:]): v for k, v in
                                                         fields.items()}}, text.encode())

    def receive(self, kind, fields, body, correlation):
        if kind in (wire.DONE, wire.ERROR, wire.TOPIC, TOPICS) and correlation not in self.waiting:
            self.answers[correlation] = (kind, fields, body)
        else:
            super().receive(kind, fields, body, correlation)

    def hear(self, kind, fields, body):
        if kind == wire.UPDATE:
            update = Update(fields, body)
            self.heard.setdefault(update.path, []).append(update)
        else:
            self.ended.append((fields.get(1, b"").decode(), fields.get(2, b"").decode(),
                               wire.number(fields, 3)))

    def wait(self, number):
        """The answer: (kind, fields, body)."""
        turn_until(lambda: number in self.answers, "an answer comes", self)
        return self.answers.pop(number)

    def code(self, number):
        """The answer's code; DONE is OK."""
        _, fields, _ = self.wait(number)
        return wire.number(fields, 1)

    def subscribe(self, selector):
        check(self.code(self.ask(SUBSCRIBE, {1: selector})) == OK, f"subscribed to {selector}")

    def set_now(self, path, text, **fields):
        return self.code(self.set_later(path, text, **fields))

    def fetch(self, selector):
        """All topics, page by page: [(path, version, value)]."""
        rows, after = [], ""
        while True:
            behind = {3: after} if after else {}
            _, fields, body = self.wait(self.ask(FETCH, {1: selector, 2: 10000, **behind}))
            check(wire.number(fields, 1) == OK, f"fetched {selector}")
            page = list(groups(body))
            if not page:
                return rows
            rows += [(row[1].decode(), tuple(wire.number(row, tag) for tag in (4, 5, 6)),
                      row.get(7, b"")) for row in page]
            after = rows[-1][0]


def groups(body):
    at = 0
    while at < len(body):
        size = int.from_bytes(body[at:at + 4], "little")
        yield wire.fields_decode(body[at + 4:at + 4 + size])
        at += 4 + size


def turn_until(condition, claim, *parties, limit_s=LIMIT_S):
    """Lets all parties work until then."""
    end = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > end:
            raise Failed(f"waited {limit_s:g} s: {claim}")
        for party in parties:
            party.progress(0.001 if len(parties) == 1 else 0)


def judge(updates):
    """What must hold of all that one session heard of one topic, without conflation. Returns how
    many were marked resync."""
    for before, now in zip(updates, updates[1:]):
        repeats = now.version == before.version and (now.is_snapshot or now.is_resync)
        check(now.version > before.version or repeats, f"never back: {before} then {now}")
        follows = now.version[:2] == before.version[:2] and \
            now.version[2] == before.version[2] + 1
        check(follows or now.is_snapshot or now.is_resync, f"no hole: {before} then {now}")
    return sum(update.is_resync for update in updates)


# ---- a subscription and an update that race -----------------------------------------------------

UPDATES = 4


def race_once(near, far, path, dice):
    """Begins one try: the topic is there, and while `near` subscribes `far` sets it on."""
    before = dice.randrange(UPDATES)
    numbers = []
    for text in range(2, UPDATES + 2):
        if text == before + 2:
            near.ask(SUBSCRIBE, {1: path})
            near.progress(0)
        numbers.append(far.set_later(path, str(text)))
    return numbers


def race(mesh, tries, at_once=50):
    """Subscribes on one node while updates happen on another: each topic's snapshot and stream join
    without hole or double."""
    a, b, _ = mesh.trio()
    near, far = Party(a), Party(b)
    dice = random.Random(tries)
    snapshots = {}
    for base in range(0, tries, at_once):
        paths = [f"race/{base + i}" for i in range(min(at_once, tries - base))]
        created = [far.set_later(path, "1") for path in paths]
        check(all(far.code(number) == OK for number in created), "all are created")
        numbers = [number for path in paths for number in race_once(near, far, path, dice)]
        turn_until(lambda: all(near.heard.get(path, [None])[-1] is not None and
                               near.heard[path][-1].text == str(UPDATES + 1) for path in paths),
                   "every last value comes", near, far)
        check(all(far.code(number) == OK for number in numbers), "every update is OK")
        for path in paths:
            updates = near.heard.pop(path)
            texts = [int(update.text) for update in updates]
            check(texts == list(range(texts[0], UPDATES + 2)), f"no hole, no double: {updates}")
            check(judge(updates) == 0 and updates[0].is_snapshot or texts[0] == 1,
                  f"the first is a snapshot: {updates}")
            snapshots[texts[0]] = snapshots.get(texts[0], 0) + 1
            near.ask(UNSUBSCRIBE, {1: path})
    print(f"  {tries} tries; the snapshot was value "
          f"{', '.join(f'{k}: {snapshots[k]}' for k in sorted(snapshots))}")
    check(len(snapshots) > 1, f"they raced: {snapshots}")


# ---- the sequencer of a topic is killed under load ----------------------------------------------

OUTSTANDING = 16


class Load:
    """Updates of one topic, one after the other, OUTSTANDING under way; what became of each."""

    def __init__(self, party, path):
        self.party, self.path = party, path
        self.sent = 0
        self.under_way, self.outcomes, self.versions = {}, {}, {}

    def turn(self):
        while len(self.under_way) < OUTSTANDING:
            self.sent += 1
            self.under_way[self.party.set_later(self.path, str(self.sent))] = self.sent
        self.collect()

    def collect(self):
        for number in [n for n in self.under_way if n in self.party.answers]:
            value = self.under_way.pop(number)
            kind, fields, _ = self.party.answers.pop(number)
            self.outcomes[value] = wire.number(fields, 1)
            if kind == wire.TOPIC:
                self.versions[value] = tuple(wire.number(fields, tag) for tag in (3, 4, 5))

    def count(self, outcome):
        return sum(code == outcome for code in self.outcomes.values())

    def confirmed_behind(self, value):
        return sum(code == OK for v, code in self.outcomes.items() if v > value)


def topic_of(mesh, asked, victim, prefix):
    """A path that the victim sequences."""
    for i in range(64):
        mesh.ctl(asked, "topic", "set", f"{prefix}/{i}", "0")
    for row in mesh.json(asked, "topic", "ls", f"{prefix}/+")["topics"]:
        if row["sequencer"] == victim.node_name:
            return row["path"]
    raise Failed(f"{victim.node_name} sequences none of 64 topics")


def judge_load(load, watchers, victim_instance):
    """Each update has one outcome, and a true one. Returns how many that were acknowledged nobody
    saw."""
    check(set(load.outcomes) == set(range(1, load.sent + 1)), "each update has its outcome")
    check(set(load.outcomes.values()) <= {OK, REPARTITION, UNKNOWN},
          f"a true one: {set(load.outcomes.values())}")
    lost = 0
    seen_by_all = []
    for watcher in watchers:
        updates = watcher.heard[load.path]
        judge(updates)
        seen = {}
        for update in updates:
            if int(update.text) > 0:
                seen.setdefault(int(update.text), set()).add(update.version)
        seen_by_all.append(seen)
        for value in seen:
            check(load.outcomes[value] != REPARTITION, f"{value} was never set, and seen")
    check(watchers[0].heard[load.path][-1].text == watchers[1].heard[load.path][-1].text,
          "both nodes end with one value")
    for value, code in load.outcomes.items():
        if code == OK and not any(value in seen for seen in seen_by_all):
            lost += 1
            check(load.versions[value][1] == victim_instance, f"{value} was lost by a living node")
    return lost


def kill_sequencer(mesh, rounds):
    """SIGKILL to the node that sequences a topic, while updates of it are under way."""
    a, b, c = mesh.trio()
    lost_in_all, pauses, resyncs = 0, [], 0
    for round_ in range(rounds):
        path = topic_of(mesh, a, c, f"kill/{round_}")
        instance = int(next(m["instance"] for m in mesh.json(a, "node", "ls")["nodes"]
                            if m["name"] == "c"), 16)
        publisher, watchers = Party(a), [Party(a), Party(b)]
        for watcher in watchers:
            watcher.subscribe(path)
        load = Load(publisher, path)

        def flow(condition, claim, load=load, parties=(publisher, *watchers)):
            def turned():
                load.turn()
                return condition()
            turn_until(turned, claim, *parties)
        flow(lambda load=load: load.count(OK) >= 100, "updates flow")
        c.kill()
        killed, at = time.monotonic(), load.sent
        flow(lambda load=load, at=at: load.confirmed_behind(at) >= 1, "updates flow again")
        pauses.append(time.monotonic() - killed)
        flow(lambda load=load, at=at: load.confirmed_behind(at) >= 50, "and go on")
        turn_until(lambda load=load: load.collect() or not load.under_way, "all have outcomes",
                   publisher, *watchers)
        last = max(v for v, code in load.outcomes.items() if code == OK)
        turn_until(lambda path=path, last=last, watchers=watchers:
                   all(int(w.heard[path][-1].text) >= last for w in watchers),
                   "the last one comes to both", publisher, *watchers)
        lost_in_all += judge_load(load, watchers, instance)
        resyncs += sum(u.is_resync for w in watchers for u in w.heard[path])
        for party in (publisher, *watchers):
            party.close()
        if round_ + 1 < rounds:
            c = mesh.start("c", seeds=[a])
            mesh.wait_agreed(a, b, c)
    pauses.sort()
    print(f"  {rounds} kills; updates flowed again after {1000 * pauses[len(pauses) // 2]:.0f} ms "
          f"(median), {1000 * pauses[-1]:.0f} ms (worst); {resyncs} resyncs; "
          f"{lost_in_all} acknowledged updates were lost with their sequencer")


# ---- a joiner with many topics -------------------------------------------------------------------

VALUE_BYTES, WINDOW = 200, 512


def fill(party, count):
    """So many topics, WINDOW under way."""
    under_way = []
    for i in range(count):
        text = f"{i:08d}".ljust(VALUE_BYTES, "x")
        under_way.append(party.set_later(f"many/{i % 100}/{i}", text))
        if len(under_way) >= WINDOW:
            check(party.code(under_way.pop(0)) == OK, "set")
    check(all(party.code(number) == OK for number in under_way), "all are set")


def join_with_topics(mesh, count):
    """A newcomer is ready when it has every topic, and not before."""
    a, b, _ = mesh.trio()
    publisher = Party(a)
    begun = time.monotonic()
    fill(publisher, count)
    filled = time.monotonic() - begun
    begun = time.monotonic()
    d = mesh.start("d", seeds=[b])
    mesh.wait_ready(d)
    took = time.monotonic() - begun
    expected = publisher.fetch("many/**")
    check(len(expected) == count, f"{count} topics: {len(expected)}")
    newcomer = Party(d)
    found = newcomer.fetch("many/**")
    check([(p, v) for p, _, v in found] == [(p, v) for p, _, v in expected], "the same topics")
    check(sorted(path.split("/") for path, _, _ in found) == [p.split("/") for p, _, _ in found],
          "in the order of their paths")
    wait_until(lambda: mesh.json(a, "cluster", "status", code=None)["converged"],
               "all nodes' topics have one hash")
    print(f"  {count} topics of {VALUE_BYTES} bytes, set in {filled:.1f} s; a joiner was ready "
          f"{took:.2f} s after its start")
