"""Nodes find each other, and those that must not are refused."""

import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import check, run_tests, wait_until  # noqa: E402


def three_nodes_join_by_one_seed(mesh):
    a, b, c = mesh.trio()
    for node in (a, b, c):
        mesh.wait_members(node, {"a": "alive", "b": "alive", "c": "alive"})
    status = wait_until(lambda: (s := mesh.json(b, "cluster", "status"))["converged"] and s,
                        "the cluster converges")
    check(status["members"] == 3 and status["complete"], f"with all three: {status}")


def one_node_alone_is_ready(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    mesh.wait_members(a, {"a": "alive"})
    a.signal(signal.SIGTERM)
    check(a.wait_exit() == 0, "SIGTERM ends it with 0")
    check(" stopped" in a.log(), "it says that it has stopped")


def start_lines_come_in_their_order(mesh):
    a, b, _ = mesh.trio()
    events = [line.split()[2] for line in b.log().splitlines()]
    for event in ("start", "listening", "joined", "synced", "ready"):
        check(event in events, f"{event} is in the log")
    order = [events.index(e) for e in ("start", "listening", "joined", "synced", "ready")]
    check(order == sorted(order), f"in that order: {events}")
    check(events.count("ready") == 1, "ready is said once")
    check("alone" in a.log(), "the first one says that it is alone")


def seeds_that_come_up_later_are_found(mesh):
    first = mesh.start("first")
    port = first.port("clients")
    first.signal(signal.SIGTERM)
    first.wait_exit()
    b = mesh.start("b", seeds=[first.gossip])
    c = mesh.start("c", seeds=[first.gossip])
    b.wait_log(r" alone ")
    c.wait_log(r" alone ")
    mesh.start("first-again", port=port)
    for node in (b, c):
        mesh.wait_members(node, {"first-again": "alive", "b": "alive", "c": "alive"})


def a_node_that_leaves_is_left_not_dead(mesh):
    a, b, c = mesh.trio()
    c.signal(signal.SIGTERM)
    check(c.wait_exit() == 0, "c ends with 0")
    for node in (a, b):
        mesh.wait_members(node, {"a": "alive", "b": "alive", "c": "left"})


def a_killed_node_is_dead_everywhere(mesh):
    a, b, c = mesh.trio()
    c.kill()
    for node in (a, b):
        mesh.wait_members(node, {"a": "alive", "b": "alive", "c": "dead"})


def a_restart_with_the_same_name_wins(mesh):
    a, b, c = mesh.trio()
    port = c.port("clients")
    c.kill()
    again = mesh.start("c", port=port, seeds=[a])
    mesh.wait_agreed(a, b, again)
    listed = mesh.json(b, "node", "ls")["nodes"]
    instance = next(m["instance"] for m in listed if m["name"] == "c")
    check(instance in again.log(), "the new instance is the one that is listed")


def another_mesh_is_refused_on_both_sides(mesh):
    a = mesh.start("a", "--cluster", "one")
    mesh.wait_ready(a)
    b = mesh.spawn("b", "--cluster", "two", seeds=[a])
    check(b.wait_exit() == 4, "b ends with 4")
    check("refused" in b.log() and "one" in b.log(), "b says why, with the mesh's name")
    a.wait_log(r" refused .*two")
    mesh.wait_members(a, {"a": "alive"})


def a_second_node_of_one_name_is_refused(mesh):
    a, b, c = mesh.trio()
    twin = mesh.spawn("c", seeds=[a])
    check(twin.wait_exit() == 4, "the twin ends with 4")
    check("c" in twin.log() and "refused" in twin.log(), "and says why")
    wait_until(lambda: " refused " in a.log() + b.log() + c.log(), "the mesh's side logs it too")
    for node in (a, b, c):
        mesh.wait_members(node, {"a": "alive", "b": "alive", "c": "alive"})


def a_client_port_as_seed_is_refused_by_name(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    b = mesh.spawn("b", "--seed", a.clients)
    b.wait_log(r"client port")
    c = mesh.spawn("c", "--seed", "127.0.0.1:7310")
    check(c.wait_exit() == 2, "c ends with 2")
    check("127.0.0.1:7310 is a client port; gossip is 7311" in c.log(), "and names both ports")


def all_addresses_behind_a_name_are_tried(mesh):
    """localhost stands for both ::1 and 127.0.0.1 or for one; the node listens on 127.0.0.1."""
    a = mesh.start("a")
    b = mesh.start("b", "--seed", f"localhost:{a.port('gossip')}")
    mesh.wait_agreed(a, b)


run_tests([three_nodes_join_by_one_seed, one_node_alone_is_ready, start_lines_come_in_their_order,
           seeds_that_come_up_later_are_found, a_node_that_leaves_is_left_not_dead,
           a_killed_node_is_dead_everywhere, a_restart_with_the_same_name_wins,
           another_mesh_is_refused_on_both_sides, a_second_node_of_one_name_is_refused,
           a_client_port_as_seed_is_refused_by_name, all_addresses_behind_a_name_are_tried])
