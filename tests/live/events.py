"""Who listens hears what happens to members, and `node why` says why."""

import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import check, run_tests, wait_until  # noqa: E402


def lines(stream):
    whole = stream.out().rsplit("\n", 1)[0]
    return [json.loads(line) for line in whole.split("\n") if line]


def happenings(stream, node):
    return [line["event"] for line in lines(stream) if line["node"] == node]


def wait_event(stream, node, event):
    wait_until(lambda: event in happenings(stream, node), f"{node} {event} is told")


def a_listener_hears_of_joins_deaths_and_leaves(mesh):
    a, b, c = mesh.trio()
    stream = mesh.ctl_stream(a, "events", "--kind", "member")
    for name in "abc":
        wait_event(stream, name, "joined")
    picture = lines(stream)[:3]
    check(sorted(line["node"] for line in picture) == ["a", "b", "c"], f"all, once: {picture}")
    check(set(picture[0]) == {"kind", "event", "session", "node", "zone", "reason", "properties"},
          f"every line has its fields: {picture[0]}")
    c.kill()
    wait_event(stream, "c", "failed")
    b.signal(signal.SIGTERM)
    wait_event(stream, "b", "left")
    check("failed" not in happenings(stream, "b"), "who leaves does not fail")
    check(happenings(stream, "a") == ["joined"], "nothing happened to a")
    d = mesh.start("d", "--zone", "az9", seeds=[a])
    wait_event(stream, "d", "joined")
    check(lines(stream)[-1]["zone"] == "az9", "the zone is told")
    d.signal(signal.SIGTERM)
    stream.signal(signal.SIGINT)
    check(stream.wait_exit() == 0, "INT ends the stream with 0")


def a_listener_whose_node_is_lost_gets_the_next_ones_picture(mesh):
    a, b, c = mesh.trio()
    stream = mesh.ctl_stream(c, "events")
    wait_event(stream, "a", "joined")
    before = len(lines(stream))
    c.kill()
    wait_until(lambda: happenings(stream, "a").count("joined") == 2, "a second picture comes")
    check(len(lines(stream)) > before, "in the same stream")
    for node in (a, b):
        mesh.wait_members(node, {"a": "alive", "b": "alive", "c": "dead"})
    wait_event(stream, "c", "joined")


def a_stream_ends_after_its_count(mesh):
    mesh.trio()
    node = mesh.processes[0]
    out, _ = mesh.ctl(node, "-o", "jsonl", "events", "--count", "2")
    check(len(out.splitlines()) == 2, f"two lines: {out}")
    mesh.ctl(node, "events", "--kind", "topic", code=2)


def why_says_how_a_node_died(mesh):
    a, _, c = mesh.trio()
    check(mesh.json(a, "node", "why", "b")["state"] == "alive", "b is alive")
    c.kill()
    wait_until(lambda: mesh.json(a, "node", "why", "c")["state"] == "dead", "c is held dead")
    why = mesh.json(a, "node", "why", "c")
    check(why["node"] == "c", "it names the node")
    found = [verdict["event"] for verdict in why["verdicts"]]
    check("dead" in found, f"the last word is among them: {found}")
    check(all(set(v) == {"at_ms", "by", "event", "helpers", "rtt_us", "confirmations",
                         "incarnation"} for v in why["verdicts"]), "each has its fields")
    check(all(v["by"] in ("a", "b", "c") for v in why["verdicts"]), f"by whom: {why}")
    table, _ = mesh.ctl(a, "node", "why", "c")
    check("dead" in table and "EVENT" in table, f"a table for people: {table}")
    mesh.ctl(a, "node", "why", "nobody", code=3)


run_tests([a_listener_hears_of_joins_deaths_and_leaves,
           a_listener_whose_node_is_lost_gets_the_next_ones_picture,
           a_stream_ends_after_its_count, why_says_how_a_node_died])
