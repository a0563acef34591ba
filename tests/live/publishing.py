"""Topics on real nodes: what races, what dies, who may, and who must be told."""

import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, LIMIT_S, SOURCE, check, run_tests, wait_until  # noqa: E402
from _topics import (OK, Party, REMOVE, SUBSCRIBE, join_with_topics,  # noqa: E402
                     judge, kill_sequencer, race, turn_until)

ACCESS_DENIED, UNSATISFIED = 33, 41
AUTHORIZATION, REMOVED = 2, 4


def a_topic_set_on_one_node_is_on_every_node(mesh):
    a, b, c = mesh.trio()
    watch = mesh.ctl_stream(c, "topic", "sub", "prices/**")
    done = mesh.json(a, "topic", "set", "prices/tea", "4.2", "--type", "double")
    check(done["path"] == "prices/tea" and done["version"].endswith("-1"), f"set: {done}")
    wait_until(lambda: "prices/tea" in watch.out(), "the watcher on c is told")
    line = json.loads(watch.out().splitlines()[0])
    check((line["event"], line["value"], line["type"], line["version"]) ==
          ("value", 4.2, "double", done["version"]), f"as it was set on a: {line}")
    check(mesh.ctl(a, "topic", "get", "prices/tea")[0] == "4.2\n", "read your writes, on a")
    wait_until(lambda: mesh.ctl(b, "topic", "get", "prices/tea", code=None)[0] == "4.2\n",
               "and it comes to b")
    rows = mesh.json(b, "topic", "ls")["topics"]
    check(len(rows) == 1 and rows[0]["sequencer"] in ("a", "b", "c") and rows[0]["bytes"] == 8,
          f"listed: {rows}")
    status = wait_until(lambda: (s := mesh.json(b, "cluster", "status", code=None))["converged"]
                        and s, "all agree")
    check(status["topics"] == 1 and len({n["topics_hash"] for n in status["nodes"]}) == 1 and
          int(status["nodes"][0]["topics_hash"], 16) != 0, f"hashes of topics: {status}")
    check(mesh.json(b, "topic", "rm", "prices/**") == {"removed": 1}, "removed on b")
    wait_until(lambda: '"removed"' in watch.out(), "the watcher is told")
    mesh.ctl(b, "topic", "get", "prices/tea", code=3)
    mesh.ctl(b, "topic", "rm", "prices/**", code=3)
    check(mesh.ctl(a, "topic", "set", "prices/tea", "5", "--type", "double")[0] != "", "again")
    wait_until(lambda: json.loads(watch.out().splitlines()[-1])["value"] == 5,
               "the selection stood: what is created again comes")
    watch.signal(signal.SIGINT)
    check(watch.wait_exit() == 0, "INT ends a stream well")


def a_subscription_and_an_update_that_race_leave_no_hole(mesh):
    race(mesh, 500)


def many_subscribers_on_every_node_miss_nothing(mesh):
    nodes = mesh.trio()
    for words in (("--topics", "3", "--publishers", "3"), ("--topics", "20", "--conflate")):
        load = mesh.run("weftbench", [
            os.path.join(BIN, "weftbench"), "pubsub", "-s", ",".join(n.clients for n in nodes),
            "-c", "60", "-r", "100", "-d", "2s", "--warmup", "200ms", "--json", "-", *words])
        check(load.wait_exit(120) == 0, "every check holds")
        report = json.loads(load.out())
        checks, sent = report["checks"], report["sent"]
        check(report["verdict"] == "PASS" and report["outcomes"] == {"OK": sent} and
              not any(checks.values()), f"no loss, order right: {report}")
        received = report["receipts"]["received"]
        check(received == 60 * sent or "--conflate" in words and 0 < received <= 60 * sent,
              f"each update came to each subscriber: {received} of 60 x {sent}")
        print(f"  {' '.join(words)}: {sent} updates, {received} receipts, p99 "
              f"{report['latency_us']['p99']:.0f} us")


def a_sequencer_is_killed_under_load(mesh):
    kill_sequencer(mesh, 3)


def a_joiner_is_ready_with_every_topic(mesh):
    join_with_topics(mesh, 5000)


# ---- constraints, removal, lists -----------------------------------------------------------------

def constraints_hold_over_the_whole_mesh(mesh):
    a, b, c = mesh.trio()
    mesh.ctl(a, "topic", "set", "leader", "a", "--if-absent")
    said = mesh.ctl(b, "topic", "set", "leader", "b", "--if-absent", code=1)[1]
    check("UNSATISFIED_CONSTRAINT" in said and "its version is" in said, f"one leader: {said}")
    check(mesh.ctl(c, "topic", "set", "leader", "c", "--if-value", "b", code=1)[1] != "", "not b")
    version = mesh.json(c, "topic", "set", "leader", "c", "--if-value", "a")["version"]
    mesh.ctl(a, "topic", "set", "leader", "d", "--if-version", version)
    mesh.ctl(a, "topic", "set", "leader", "e", "--if-version", version, code=1)
    check("TOPIC_EXISTS_MISMATCH" in mesh.ctl(b, "topic", "set", "leader", "1", "--type", "int64",
                                              code=1)[1], "a topic keeps its type")
    parties = [Party(node) for node in (a, b, c)]
    # Of many that want to be first on three nodes at once exactly one is, for each topic.
    numbers = [[p.set_later(f"first/{i}", str(k), _5=1) for k, p in enumerate(parties)]
               for i in range(50)]
    for asked in numbers:
        codes = sorted(p.code(n) for p, n in zip(parties, asked))
        check(codes == [OK, UNSATISFIED, UNSATISFIED], f"one is first: {codes}")


def topics_go_with_their_session(mesh):
    a, b, _ = mesh.trio()
    owner, watcher = Party(a), Party(b)
    watcher.subscribe("mine/**")
    check(owner.set_now("mine/1", "x", _10=1) == OK and owner.set_now("mine/2", "y") == OK, "set")
    turn_until(lambda: len(watcher.heard) == 2, "both come", owner, watcher)
    owner.close()
    turn_until(lambda: ("mine/1", "", REMOVED) in watcher.ended, "the one that goes", watcher)
    check([path for path, _, _ in watcher.fetch("mine/**")] == ["mine/2"], "the other stays")
    check(len(watcher.ended) == 1, f"nothing else: {watcher.ended}")
    _, fields, _ = watcher.wait(watcher.ask(REMOVE, {1: "mine/+"}))
    check(fields.get(6) == b"\x01", "removed by who may")
    turn_until(lambda: ("mine/2", "", REMOVED) in watcher.ended, "and told", watcher)


# ---- permissions --------------------------------------------------------------------------------

def permissions_hold_by_path(mesh):
    def given(*lists):
        with open(path, "w") as file:
            json.dump({"permissions": {"*": ["view_mesh", *lists]}}, file)
    path = os.path.join(mesh.folder, "permissions.json")
    given("read:open/**", "update:open/**", "modify:open/**", "read:seen/**")
    a = mesh.start("a", "-c", path)
    b = mesh.start("b", seeds=[a])
    mesh.wait_agreed(a, b)
    free, bound = Party(b), Party(a)
    for topic in ("open/1", "seen/1", "closed/1"):
        check(free.set_now(topic, "x") == OK, f"b lets everybody set {topic}")
    check(bound.set_now("open/1", "y") == OK, "what is given")
    check(bound.set_now("seen/1", "y") == ACCESS_DENIED, "to read is not to set")
    check(bound.set_now("closed/1", "y") == ACCESS_DENIED, "nor is nothing")
    check(bound.code(bound.ask(SUBSCRIBE, {1: "**"})) == OK, "some of it may be read")
    wait_until(lambda: mesh.json(b, "topic", "ls")["total"] == 3, "all there")
    check([p for p, _, _ in bound.fetch("**")] == ["open/1", "seen/1"], "the rest is not there")
    turn_until(lambda: set(bound.heard) == {"open/1", "seen/1"}, "nor heard of", bound)
    _, fields, _ = bound.wait(bound.ask(REMOVE, {1: "**"}))
    check(fields.get(6) == b"\x01", f"one was removed: {fields}")
    given("read:open/**")
    a.signal(signal.SIGHUP)
    turn_until(lambda: ("seen/1", "", AUTHORIZATION) in bound.ended, "taken away, and told", bound)
    check(free.set_now("seen/1", "z") == OK, "an update that it may not see")
    given("read:**")
    a.signal(signal.SIGHUP)
    turn_until(lambda: bound.heard.get("closed/1") and bound.heard["seen/1"][-1].text == "z",
               "given back, the selection stood", bound)
    judge(bound.heard["seen/1"])


# ---- sessions subscribed by others ---------------------------------------------------------------

def others_subscribe_sessions_by_id_and_by_filter(mesh):
    a, b, c = mesh.trio()
    mesh.ctl(a, "topic", "set", "news", "first")
    held = [mesh.ctl_stream(node, "--prop", f"tier={tier}", "topic", "sub", "none/such")
            for node, tier in ((a, "gold"), (b, "gold"), (c, "trial"))]
    vector = mesh.json(b, "session", "subscribe", "-f", "tier is 'gold'", "news")
    check((vector["matched"], vector["applied"], vector["complete"]) == (2, 2, True), f"{vector}")
    mesh.ctl(a, "session", "subscribe", held[2].session, "news/**")
    for stream in held:
        wait_until(lambda stream=stream: "first" in stream.out(), "the snapshot comes to each")
    dry = mesh.json(b, "session", "unsubscribe", "-f", "tier is 'gold'", "news", "--dry-run")
    check((dry["matched"], dry["applied"]) == (2, 0), f"counted: {dry}")
    vector = mesh.json(c, "session", "unsubscribe", "-f", "has tier", "news")
    check(vector["matched"] == 3, f"all that match: {vector}")
    for stream in held[:2]:
        wait_until(lambda stream=stream: '"unsubscribed"' in stream.out(), "they are told")
        line = json.loads(stream.out().splitlines()[-1])
        check((line["selector"], line["reason"]) == ("news", "requested"), f"why: {line}")
    mesh.ctl(a, "topic", "set", "news", "second")
    wait_until(lambda: "second" in held[2].out(), "who has it by another selector goes on")
    check(not any("second" in stream.out() for stream in held[:2]), "the others heard no more")
    mesh.ctl(a, "session", "subscribe", "0123456789abcdef-0123456789abcdef", "news", code=3)


# ---- the examples --------------------------------------------------------------------------------

def examples_publish_and_watch(mesh):
    a, b, c = mesh.trio()
    watcher = mesh.run("price-watcher", [os.path.join(BIN, "example-price-watcher"), b.clients,
                                         "prices/+"])
    python = mesh.run("client.py", [sys.executable, os.path.join(SOURCE, "examples", "client.py"),
                                    c.clients, "watch", "prices/**"])
    python.wait_log("watching")
    feed = mesh.run("price-feed", [os.path.join(BIN, "example-price-feed"), a.clients,
                                   "prices/tea", "prices/rice"])
    for process in (watcher, python):
        wait_until(lambda process=process: process.out().count("prices/tea") >= 5 and
                   process.out().count("prices/rice") >= 5, f"{process.name} sees prices")
    feed.signal(signal.SIGINT)
    check(feed.wait_exit() == 0 and " 0 failed" in feed.out(), f"the feed: {feed.out()}")
    wait_until(lambda: watcher.out().count("is no more") == 2 and
               python.out().count("(removed)") == 2, "the topics went with it")
    done = subprocess.run([sys.executable, os.path.join(SOURCE, "examples", "client.py"), a.clients,
                           "set", "prices/salt", "9"], capture_output=True, text=True,
                          timeout=LIMIT_S, check=False)
    check(done.returncode == 0, f"client.py sets: {done.stderr}")
    wait_until(lambda: "prices/salt" in python.out() and "prices/salt" in watcher.out(),
               "and both see it")


run_tests([a_topic_set_on_one_node_is_on_every_node,
           a_subscription_and_an_update_that_race_leave_no_hole,
           many_subscribers_on_every_node_miss_nothing, a_sequencer_is_killed_under_load,
           a_joiner_is_ready_with_every_topic, constraints_hold_over_the_whole_mesh,
           topics_go_with_their_session, permissions_hold_by_path,
           others_subscribe_sessions_by_id_and_by_filter, examples_publish_and_watch])
