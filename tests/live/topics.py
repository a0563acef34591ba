"""Topics on real nodes: one value everywhere, a stream without holes, sequencers that die."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import check, run_tests, wait_until  # noqa: E402


def lines(stream):
    return [json.loads(line) for line in stream.out().splitlines() if line.startswith("{")]


def values(stream, path):
    return [line.get("value") for line in lines(stream) if line.get("path") == path]


def a_topic_is_the_same_everywhere(mesh):
    nodes = mesh.trio()
    for number, node in enumerate(nodes):
        mesh.ctl(node, "topic", "set", f"shop/{number}", f"from {node.name}")
    for node in nodes:
        listed = mesh.json(node, "topic", "ls", "shop/**")["topics"]
        check([row["path"] for row in listed] == ["shop/0", "shop/1", "shop/2"],
              f"{node.name} has all, in order: {listed}")
    out, _ = mesh.ctl(nodes[1], "topic", "rm", "shop/+")
    check("3" in out, f"three are removed: {out!r}")
    for node in nodes:
        listed = mesh.json(node, "topic", "ls", "**", code=3)["topics"]
        check(listed == [], f"{node.name} has none: {listed}")


def a_subscriber_sees_each_change_once(mesh):
    a, b, c = mesh.trio()
    mesh.ctl(a, "topic", "set", "price/eur", "0")
    feed = mesh.ctl_stream(b, "topic", "sub", "price/**")
    wait_until(lambda: values(feed, "price/eur") == ["0"], "the snapshot comes")
    for number in range(1, 30):
        mesh.ctl((a, b, c)[number % 3], "topic", "set", "price/eur", str(number))
    wait_until(lambda: len(values(feed, "price/eur")) >= 30, "all changes come")
    check(values(feed, "price/eur") == [str(number) for number in range(30)],
          f"in order, each once: {values(feed, 'price/eur')}")


def topics_outlive_their_sequencer(mesh):
    a, b, c = mesh.trio()
    paths = [f"seat/{number}" for number in range(12)]
    for path in paths:
        mesh.ctl(a, "topic", "set", path, "before")
    b.kill()
    for node in (a, c):
        mesh.wait_members(node, {"a": "alive", "b": "dead", "c": "alive"})
    for path in paths:
        out, _ = mesh.ctl(c, "topic", "get", path)
        check("before" in out, f"{path} has its value: {out!r}")
        mesh.ctl(c, "topic", "set", path, "after")
        wait_until(lambda p=path: "after" in mesh.ctl(a, "topic", "get", p)[0], f"{path} changes")


def a_joiner_is_ready_with_every_topic(mesh):
    a, _, _ = mesh.trio()
    for number in range(20):
        mesh.ctl(a, "topic", "set", f"many/{number}", str(number))
    late = mesh.start("late", seeds=[a])
    mesh.wait_ready(late)
    listed = mesh.json(late, "topic", "ls", "many/+")["topics"]
    check(len(listed) == 20, f"nothing is missing when it is ready: {len(listed)}")


if __name__ == "__main__":
    run_tests([
        a_topic_is_the_same_everywhere,
        a_subscriber_sees_each_change_once,
        topics_outlive_their_sequencer,
        a_joiner_is_ready_with_every_topic,
    ])
