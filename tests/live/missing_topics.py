"""Who misses a topic is heard, wherever he is connected: the handler creates it, and it arrives."""

import json
import os
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import check, run_tests, wait_until  # noqa: E402


def lines(stream):
    return [json.loads(line) for line in stream.out().splitlines()]


def known(mesh, node, count):
    wait_until(lambda: sum(h["kind"] == "missing" for h in
                           mesh.json(node, "handler", "ls")["handlers"]) == count,
               f"{node.name} knows {count}")


def a_topic_missed_on_a_is_created_by_a_handler_on_c(mesh):
    a, b, c = mesh.trio()
    handler = mesh.ctl_stream(c, "handler", "missing", "prices")
    above = mesh.ctl_stream(b, "handler", "missing", "pri")
    known(mesh, a, 2)
    watcher = mesh.ctl_stream(a, "--prop", "tier=gold", "topic", "sub", "prices/eu/+")
    wait_until(lambda: lines(handler), "c is told")
    notice, = lines(handler)
    properties = notice.pop("properties")
    check(notice == {"selector": "prices/eu/+", "path": "prices", "session": watcher.session,
                     "nodes": ["a", "c"], "coalesced": 0}, f"what c is told: {notice}")
    check(properties["tier"] == "gold" and properties["$ServerName"] == "a", f"who: {properties}")
    mesh.ctl(c, "topic", "set", "prices/eu/tea", "7")
    wait_until(lambda: any(line["path"] == "prices/eu/tea" and line["value"] == "7"
                           for line in lines(watcher)), "the subscription stood")
    mesh.ctl_stream(b, "topic", "sub", "prices/eu/tea")
    mesh.ctl_stream(b, "topic", "sub", "prices/us")
    wait_until(lambda: len(lines(handler)) == 2, "the next that is missed")
    check(lines(handler)[1]["selector"] == "prices/us", "what is there is missed by nobody")
    check(not lines(above), "pri is not above prices")


def the_same_selector_is_told_once_a_second(mesh):
    a, b, c = mesh.trio()
    handler = mesh.ctl_stream(c, "handler", "missing", "prices")
    known(mesh, a, 1)
    known(mesh, b, 1)
    for node in (a, b, c, a):
        mesh.ctl_stream(node, "topic", "sub", "prices/x")
    wait_until(lambda: mesh.counters(c)["missing_topics_told"] +
               mesh.counters(c)["missing_topics_coalesced"] == 4, "all have come to c")
    told = lines(handler)
    time.sleep(1.1)  # the second in which it would be left out
    mesh.ctl_stream(b, "topic", "sub", "prices/x")
    wait_until(lambda: len(lines(handler)) == len(told) + 1, "told again")
    every = len(lines(handler)) + sum(line["coalesced"] for line in lines(handler))
    check(every == 5, f"each is told or counted: {lines(handler)}")


run_tests([a_topic_missed_on_a_is_created_by_a_handler_on_c,
           the_same_selector_is_told_once_a_second])
