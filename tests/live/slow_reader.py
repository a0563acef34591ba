"""One subscriber that is stopped among others that read: they hear everything, it is conflated,
loses its topic or is closed, as it is configured, and the node's memory stays within bounds."""

import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import check, resident_bytes, run_tests, wait_until  # noqa: E402
from _topics import OK, Party, judge, turn_until  # noqa: E402

QUEUE_MESSAGES = 300
CREDIT_MESSAGES = 1024  # that a client takes before it has to read
READERS, TOPICS, UPDATES = 8, 5, 6000
CONFLATE, ALWAYS, OFF, UNSUBSCRIBE = range(4)
AT_ONCE = 200
MIB = 1 << 20


class Stage:
    """A node with small queues, a publisher, readers, and one reader that was stopped."""

    def __init__(self, mesh, policy, switch=None):
        self.mesh = mesh
        self.node = mesh.start("a", "--set", f"sessions.queue_messages={QUEUE_MESSAGES}")
        mesh.wait_ready(self.node)
        self.publisher = Party(self.node)
        for i in range(TOPICS):
            check(self.publisher.set_now(f"feed/{i}", "first", _3=policy) == OK, "a topic is made")
        self.readers = [Party(self.node) for _ in range(READERS)]
        for reader in self.readers:
            reader.subscribe("feed/**")
        self.stopped = mesh.ctl_stream(self.node, "topic", "sub", "feed/**")
        wait_until(lambda: self.stopped.out().count("first") == TOPICS, "its snapshot comes")
        if switch is not None:
            mesh.ctl(self.node, "session", "conflate", self.stopped.session, switch)
        self.stopped.signal(signal.SIGSTOP)
        self.sent = 0
        self.may_skip = policy == ALWAYS

    def publish(self, count):
        """So many updates, over all topics in turn; returns when all readers have heard all, or
        the last ones where a policy lets them skip."""
        padding = "." * 400
        for start in range(0, count, AT_ONCE):
            numbers = []
            for _ in range(min(AT_ONCE, count - start)):
                self.sent += 1
                text = f"{self.sent}{padding}"
                numbers.append(self.publisher.set_later(f"feed/{self.sent % TOPICS}", text))
            turn_until(lambda: all(n in self.publisher.answers for n in numbers),
                       "all are confirmed", self.publisher, *self.readers)
            check(all(self.publisher.code(n) == OK for n in numbers), "and well")
        turn_until(lambda: all(map(self.has_heard, self.readers)), "every reader hears them",
                   self.publisher, *self.readers)
        for reader in self.readers:
            for updates in reader.heard.values():
                versions = [update.version for update in updates]
                check(versions == sorted(set(versions)), f"never back: {versions}")
                if not self.may_skip:
                    judge(updates)

    def has_heard(self, reader):
        if self.may_skip:
            return self.last_values() == {path: updates[-1].text.rstrip(".")
                                          for path, updates in reader.heard.items()}
        return sum(map(len, reader.heard.values())) == self.sent + TOPICS

    def last_values(self):
        return {f"feed/{n % TOPICS}": str(n) for n in range(self.sent - TOPICS + 1, self.sent + 1)}

    def row(self):
        rows = self.mesh.json(self.node, "session", "ls")["sessions"]
        return next((r for r in rows if r["id"] == self.stopped.session), None)

    def lines(self):
        """What the stopped one was told, as far as its last line is whole."""
        return [json.loads(line) for line in self.stopped.out().splitlines(True)
                if line.endswith("\n")]

    def last_values_come(self):
        """It reads on: no value goes back, and the last ones come."""
        self.stopped.signal(signal.SIGCONT)

        def seen(path):
            return [line["value"].rstrip(".") for line in self.lines()
                    if line["path"] == path and line["event"] == "value" and
                    line["value"] != "first"]
        for path, last in self.last_values().items():
            wait_until(lambda: seen(path)[-1:] == [last], f"the last value of {path} comes")
            numbers = [int(text) for text in seen(path)]
            check(numbers == sorted(set(numbers)), f"{path} never goes back: {numbers}")
        return len(self.lines())

def is_conflated_and_others_hear_everything(mesh):
    stage = Stage(mesh, CONFLATE)
    before = resident_bytes(stage.node.pid)
    stage.publish(UPDATES)
    grown = resident_bytes(stage.node.pid) - before
    row = stage.row()
    check(row["state"] == "active" and row["conflate"], f"it lives: {row}")
    check(0 < row["queue_messages"] <= QUEUE_MESSAGES, f"its queue is bounded: {row}")
    check(row["conflated_total"] > 0 and row["lag_ms"] > 0, f"and says what became of it: {row}")
    check(grown < 64 * MIB, f"so is memory: {grown} bytes more")
    before = row["queue_messages"]
    removed = mesh.json(stage.node, "session", "conflate", stage.stopped.session, "on")["removed"]
    row = stage.row()
    check(row["queue_messages"] == before - removed <= TOPICS, f"conflated at once: {row}")
    stats = mesh.counters(stage.node)
    check(stats["updates_merged"] >= row["conflated_total"], f"counted: {stats}")
    told = stage.last_values_come()
    check(told < UPDATES, "some were merged away")
    wait_until(lambda: stage.row()["queue_messages"] == 0 and stage.row()["lag_ms"] == 0,
               "its queue is empty again")
    print(f"  of {UPDATES} updates {told} told, {grown / MIB:.1f} MiB more resident")


def of_a_topic_that_always_conflates_has_one_update_of_each_waiting(mesh):
    stage = Stage(mesh, ALWAYS)
    stage.publish(UPDATES)
    row = stage.row()
    check(row["queue_messages"] <= TOPICS, f"one of each: {row}")
    stage.last_values_come()


def with_the_switch_off_is_closed(mesh):
    stage = Stage(mesh, CONFLATE, "off")
    check(stage.row()["conflate"] is False, "the switch is off")
    stage.publish(UPDATES)
    check(stage.row() is None, "closed")
    stage.stopped.signal(signal.SIGCONT)
    # Who was stopped for longer than a closed connection is kept finds it gone, and begins anew.
    wait_until(lambda: "queue_limit_reached" in stage.stopped.log() + stage.stopped.out() or
               stage.stopped.log().count("weftctl: ready") == 2, "it is told why, or begins anew")


def of_a_topic_that_nobody_may_miss_is_closed(mesh):
    stage = Stage(mesh, OFF)
    stage.publish(UPDATES)
    check(stage.row() is None, "closed: nothing of `off` is merged")


def loses_topics_that_unsubscribe(mesh):
    stage = Stage(mesh, UNSUBSCRIBE)
    stage.publish(UPDATES)
    row = stage.row()
    check(row is not None and row["state"] == "active", f"it lives: {row}")
    check(mesh.counters(stage.node)["subscriptions_ended"] == TOPICS, "each topic once")
    stage.stopped.signal(signal.SIGCONT)
    wait_until(lambda: sum(line.get("reason") == "back_pressure" for line in stage.lines()) ==
               TOPICS, "it is told of each")
    check(len(stage.lines()) <= CREDIT_MESSAGES + QUEUE_MESSAGES + TOPICS * 2, "and nothing else")


run_tests([is_conflated_and_others_hear_everything,
           of_a_topic_that_always_conflates_has_one_update_of_each_waiting,
           with_the_switch_off_is_closed, of_a_topic_that_nobody_may_miss_is_closed,
           loses_topics_that_unsubscribe])
