"""A node serves clients once it has synchronised and the mesh is as large as it was told to expect;
until then it says so, and names nodes that do serve."""

import os
import socket
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _directory import Holders  # noqa: E402
from _mesh import check, run_tests, wait_until  # noqa: E402


def refusal(mesh, node):
    """What the node tells a client that knows no other; "" when it serves it."""
    out, err = mesh.ctl(node, "-t", "500ms", "node", "ls", code=None)
    return "" if out else err


def a_node_waits_for_those_it_was_told_to_expect(mesh):
    a = mesh.start("a", "--expect", "3")
    a.wait_log(r" synced ")
    b = mesh.start("b", "--expect", "3", seeds=[a])
    b.wait_log(r" synced ")
    for node in (a, b):
        wait_until(lambda: "NOT_READY" in refusal(mesh, node), "it says that it is not ready")
        check(" ready" not in node.log(), "nor does its log say so")
    c = mesh.start("c", "--expect", "3", seeds=[a])
    mesh.wait_agreed(a, b, c)
    c.kill()
    mesh.wait_members(a, {"a": "alive", "b": "alive", "c": "dead"})
    check(refusal(mesh, a) == "", "once ready it stays so")


def a_node_that_still_looks_for_its_mesh_serves_nobody(mesh):
    with socket.create_server(("127.0.0.1", 0)) as deaf:  # takes connections, and says nothing
        a = mesh.start("a", "--seed", f"127.0.0.1:{deaf.getsockname()[1]}")
        check("NOT_READY" in refusal(mesh, a), "before it knows whether it is alone")
        mesh.wait_ready(a)
        check(refusal(mesh, a) == "", "then it serves")
    events = [line.split()[2] for line in a.log().splitlines()]
    check(events.index("alone") < events.index("synced") < events.index("ready"),
          f"in that order: {events}")


def who_is_not_ready_names_nodes_that_are(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    b = mesh.start("b", "--expect", "9", seeds=[a])
    b.wait_log(r" synced ")
    mesh.wait_members(a, {"a": "alive", "b": "alive"})
    report = Holders(mesh, [b], 5).finish()["sessions"]
    check(report["nodes"] == {"a": 5} and report["refused"]["NOT_READY"] >= 5,
          f"clients that knew b alone stand on a: {report}")
    status = mesh.json(a, "cluster", "status")
    ready = {entry["node"]: entry["ready"] for entry in status["nodes"]}
    check(ready == {"a": True, "b": False} and not status["converged"],
          f"the status tells them apart: {status}")
    _, err = mesh.ctl(a, "cluster", "status", "--expect", "2", code=1)
    check("NOT_READY" in err and "1 of 2 ready" in err, f"and says it in words: {err}")


run_tests([a_node_waits_for_those_it_was_told_to_expect,
           a_node_that_still_looks_for_its_mesh_serves_nobody,
           who_is_not_ready_names_nodes_that_are])
