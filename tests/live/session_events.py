"""Who listens to sessions hears of each, anywhere in the mesh, once; whatever happens to nodes."""

import collections
import json
import os
import re
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import check, run_tests, wait_until  # noqa: E402

FILTER = "crowd is 'red' or crowd is 'blue'"


def lines(stream):
    whole = stream.out().rsplit("\n", 1)[0]
    return [json.loads(line) for line in whole.split("\n") if line]


def told(stream, event, node=None):
    """How many lines of that event there are, by session."""
    return collections.Counter(line["session"] for line in lines(stream)
                               if line["event"] == event and node in (None, line["node"]))


def listen(mesh, node, *words):
    return mesh.ctl_stream(node, "events", "--kind", "session", "-f", FILTER, "--keys", "crowd",
                           *words)


def crowd(mesh, node, number, colour="red"):
    """Sessions that stay, of that colour; their ids are in .ids."""
    hold = mesh.ctl_stream(node, "--prop", f"crowd={colour}", "session", "open", "--number",
                           str(number))
    wait_until(lambda: len(lines(hold)) == number, f"{number} sessions are open on {node.name}")
    hold.ids = {line["id"] for line in lines(hold)}
    return hold


def wait_told(stream, event, ids, limit_s=60):
    """Each of these sessions is told once, and no other."""
    expected = collections.Counter(ids)
    wait_until(lambda: sum(told(stream, event).values()) >= len(expected),
               f"{len(expected)} times {event}", limit_s)
    found = told(stream, event)
    check(found == expected, f"{event}: {len(found)} sessions, {sum(found.values())} lines; "
          f"expected {len(expected)}, each once")


def each_session_is_told_once_where_it_is(mesh):
    a, b, c = mesh.trio()
    before = crowd(mesh, b, 40)
    mesh.ctl_stream(c, "--prop", "crowd=green", "session", "open", "--number", "5")
    streams = [listen(mesh, node) for node in (a, b, c)]
    after = [crowd(mesh, node, 40, "blue") for node in (a, b, c)]
    everybody = before.ids.union(*(hold.ids for hold in after))
    for stream in streams:
        wait_told(stream, "opened", everybody)
        check(told(stream, "opened", "b").keys() == before.ids | after[1].ids, "and where it is")
        values = {line["properties"]["crowd"] for line in lines(stream)}
        check(values == {"red", "blue"}, f"with what was asked for: {values}")
    victim = min(before.ids)
    mesh.ctl(a, "session", "close", victim)
    for stream in streams:
        wait_told(stream, "closed", {victim})
        last = lines(stream)[-1]
        check(last["reason"] == "closed_by_controller", f"with the reason: {last}")
        check("resync" not in last and last["properties"] == {}, f"as it happened: {last}")
    after[2].signal(signal.SIGINT)
    for stream in streams:
        wait_told(stream, "closed", after[2].ids | {victim})
        check(set(line["event"] for line in lines(stream)) == {"opened", "closed"}, "no other")
    streams[0].signal(signal.SIGINT)
    check(streams[0].wait_exit() == 0, "INT ends the stream with 0")


def changes_by_id_and_by_filter_are_told_once_each(mesh):
    a, b, c = mesh.trio()
    holds = [crowd(mesh, node, 30) for node in (a, b, c)]
    everybody = set().union(*(hold.ids for hold in holds))
    streams = [listen(mesh, node) for node in (a, c)]
    for stream in streams:
        wait_told(stream, "opened", everybody)
    one = min(holds[1].ids)
    mesh.ctl(a, "session", "set", one, "crowd=green")
    for stream in streams:
        wait_told(stream, "left", {one})
    mesh.ctl(c, "session", "set", one, "crowd=red", "mood=good")
    for stream in streams:
        wait_told(stream, "entered", {one})
    mesh.ctl(b, "session", "set", one, "mood=bad")  # nobody asked for it
    mesh.ctl(b, "session", "set", "-f", "crowd is 'red'", "crowd=blue")
    for stream in streams:
        wait_told(stream, "updated", everybody)
    mesh.ctl(c, "session", "close", "-f", "crowd is 'blue'")
    for stream in streams:
        wait_told(stream, "closed", everybody)
        check(not [line for line in lines(stream) if "resync" in line], "nothing was missed")


def a_killed_nodes_sessions_are_unreachable_and_a_stopped_nodes_come_back(mesh):
    a, b, c = mesh.trio()
    on_b, on_c = crowd(mesh, b, 30), crowd(mesh, c, 30)
    stream = listen(mesh, a)
    wait_told(stream, "opened", on_b.ids | on_c.ids)
    b.signal(signal.SIGSTOP)
    mesh.wait_members(a, {"a": "alive", "b": "dead", "c": "alive"}, 60)
    wait_told(stream, "unreachable", on_b.ids)
    b.signal(signal.SIGCONT)
    wait_told(stream, "reachable", on_b.ids)
    on_c.signal(signal.SIGSTOP)  # else it opens other sessions in place of those lost
    c.kill()
    wait_told(stream, "unreachable", on_b.ids | on_c.ids)
    check(not told(stream, "closed"), "nobody says closed but the owner")
    wait_told(stream, "opened", on_b.ids | on_c.ids)
    late = crowd(mesh, b, 10)
    wait_told(stream, "opened", on_b.ids | on_c.ids | late.ids)


def thousands_are_told_in_slices(mesh):
    a, b, c = mesh.trio()
    holds = [crowd(mesh, node, 700) for node in (a, b, c)]
    stream = listen(mesh, c)
    everybody = set().union(*(hold.ids for hold in holds))
    wait_told(stream, "opened", everybody)
    holds[0].signal(signal.SIGINT)
    wait_told(stream, "closed", holds[0].ids)
    check(mesh.counters(c)["session_events_told"] == len(everybody) + len(holds[0].ids),
          "as many events as lines")


def a_bad_filter_is_said_with_its_place(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    _, err = mesh.ctl(a, "events", "--kind", "session", "-f", "tier is Gold", code=1)
    check(re.search(r"INVALID_FILTER: 1:9: ", err), err)
    mesh.ctl(a, "events", "--kind", "sessions", code=2)
    mesh.ctl(a, "events", "--kind", "member", "-f", "all", code=2)
    out, _ = mesh.ctl(a, "--prop", "crowd=red", "events", "--kind", "session,member", "--count",
                      "2", "--keys", "crowd")
    check("opened" in out and "joined" in out and "red" in out, out)


run_tests([each_session_is_told_once_where_it_is, changes_by_id_and_by_filter_are_told_once_each,
           a_killed_nodes_sessions_are_unreachable_and_a_stopped_nodes_come_back,
           thousands_are_told_in_slices, a_bad_filter_is_said_with_its_place])
