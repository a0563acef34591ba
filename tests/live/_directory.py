"""_directory.py - five nodes, many sessions, a crash and a newcomer: what every directory must hold
at each step. The truth is counted by those who hold the sessions, not by the mesh."""

import json
import os
import re
import resource
import signal
import time

from _bombs import serve_through_bombs
from _mesh import BIN, check, wait_until

PER_PROCESS = 4000  # what one client process holds at most
DEADLINE_S = 60


def crowd_size(most, fewest=1500):
    """As many sessions as are wanted; fewer where a build is slow or descriptors are scarce."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    is_scarce = hard != resource.RLIM_INFINITY and hard < 10000
    is_slow = os.environ.get("WEFT_PROFILE", "release") != "release"
    return fewest if is_scarce or is_slow else most


class Holders:
    """weftbench conn with its sessions: number k is opened at server k modulo the servers."""

    def __init__(self, mesh, nodes, count, *words):
        self.mesh, self.nodes, self.count = mesh, nodes, count
        self.json_path = os.path.join(mesh.folder, f"conn-{len(mesh.processes)}.json")
        procs = max(len(nodes) if count >= 1000 else 1, -(-count // PER_PROCESS))
        self.process = mesh.run("weftbench", [
            os.path.join(BIN, "weftbench"), "conn", "-s", ",".join(n.clients for n in nodes),
            "-c", str(count), "--procs", str(procs), "--hold", "--json", self.json_path, *words])
        self.process.wait_log(rf"holding {count} sessions", 120)

    def wait(self, holds, node):
        """Waits until the cluster's status, as this node tells it, is as wanted."""
        return wait_until(lambda: holds(self.mesh.json(node, "cluster", "status", code=None)),
                          "the mesh has so many sessions", DEADLINE_S)

    def finish(self, code=0):
        """Ends the sessions; what became of them."""
        self.process.signal(signal.SIGTERM)
        check(self.process.wait_exit(60) == code, f"weftbench exits {code}:\n{self.process.log()}")
        with open(self.json_path) as file:
            return json.load(file)


def log_ms(node, event):
    """When the node said so, in ms since midnight."""
    line = next(x for x in node.log().splitlines() if x.split()[2:3] == [event])
    hours, minutes, seconds = line.split()[0].rstrip("Z").split("T")[1].split(":")
    return (int(hours) * 3600 + int(minutes) * 60) * 1000 + float(seconds) * 1000


def wait_directories(mesh, nodes, sessions):
    """Every node's directory holds so many sessions, all hashes are equal, nobody is behind. The
    session that asks is one of them. Returns the status and the seconds it took."""
    begun = time.monotonic()

    def holds():
        status = mesh.json(nodes[0], "cluster", "status", code=None)
        entries = status["nodes"]
        good = (status["converged"] and len(entries) == len(nodes) and
                all(e["directory_sessions"] == sessions + 1 and e["lag_entries"] == 0
                    for e in entries) and
                len({e["directory_hash"] for e in entries}) == 1 and
                sum(e["sessions"] for e in entries) == sessions + 1)
        return status if good else None
    status = wait_until(holds, f"{len(nodes)} directories hold {sessions} sessions", DEADLINE_S)
    return status, time.monotonic() - begun


def listed_numbers(mesh, node, seed, total):
    """The bench_numbers of all sessions, as one node answers."""
    answer = mesh.json(node, "session", "ls", "--limit", str(total + 100), "--keys",
                       "bench_run,bench_number")
    check(answer["complete"], f"{node.node_name} hears from all: {answer['nodes_answered']}")
    return answer["total"], {int(s["properties"]["bench_number"]): s for s in answer["sessions"]
                             if s["properties"].get("bench_run") == seed}


def check_listing(mesh, node, seed, total, is_there):
    """What a listing through this node shows is what must be there, where it must be. A page has
    room for a part of a large mesh: of that, each must be right; the count must be of all."""
    count, shown = listed_numbers(mesh, node, seed, total)
    check(count == total + 1, f"{node.node_name} counts {total} and the one that asks: {count}")
    wrong = [n for n, s in shown.items() if not is_there(n, s["node"])]
    check(not wrong, f"{node.node_name} lists only what stands: {wrong[:5]}")
    check(len(shown) >= min(total, 3000), f"{node.node_name} shows {len(shown)} of {total}")
    return shown


def check_lookups(mesh, node, living, lost):
    """By id, through this node's directory: the living where they are, the lost nowhere."""
    for session in living:
        found = mesh.json(node, "session", "get", session["id"], "--keys", "bench_number")
        check(found["node"] == session["node"], f"{node.node_name} finds {session['id']}")
    for session in lost:
        _, err = mesh.ctl(node, "session", "get", session["id"], code=None)
        check(re.search(r"NO_SUCH_SESSION|CLUSTER_ROUTING", err),
              f"{node.node_name} does not find {session['id']}: {err}")


def crash_and_join(mesh, count):
    """The whole story with `count` sessions on five nodes."""
    first = mesh.start("n0")
    nodes = [first] + [mesh.start(f"n{i}", seeds=[first]) for i in range(1, 5)]
    mesh.wait_agreed(*nodes)
    seed = str(count)
    holders = Holders(mesh, nodes, count, "--seed", seed)
    wait_directories(mesh, nodes, count)

    def at_home(number, node):
        return node == f"n{number % 5}"
    before = check_listing(mesh, nodes[4], seed, count, at_home)
    serve_through_bombs(mesh, nodes)
    wait_directories(mesh, nodes, count)
    victim = nodes[2]
    victim.kill()
    rest = [n for n in nodes if n is not victim]
    left = count - len(range(2, count, 5))
    _, crash_s = wait_directories(mesh, rest, left)
    lost = [s for s in before.values() if s["node"] == "n2"][:3]
    for node in rest:
        shown = check_listing(mesh, node, seed, left,
                              lambda n, at: n % 5 != 2 and at_home(n, at))
        sample = {s["node"]: s for s in shown.values()}  # one of each node that is shown
        check_lookups(mesh, node, sample.values(), lost)
    sixth = mesh.start("n5", seeds=[first])
    sixth.wait_log(r" ready\b")
    ready_ms = log_ms(sixth, "ready") - log_ms(sixth, "start")
    synced = sixth.wait_log(r" synced handlers=\d+ sessions=(\d+)")
    check(int(synced.group(1)) == left, f"the sixth is ready with all {left}: {synced.group(0)}")
    rest.append(sixth)
    wait_directories(mesh, rest, left)
    check_listing(mesh, sixth, seed, left, lambda n, at: n % 5 != 2 and at_home(n, at))
    check_lookups(mesh, sixth, [next(s for s in before.values() if s["node"] != "n2")], lost)
    report = holders.finish()
    sessions = report["sessions"]
    check(sessions["opened"] == count and sessions["standing"] == left and
          sessions["closed"] == {"connection_lost": count - left} and
          report["checks"]["duplicate"] == 0, f"the holders say the same: {sessions}")
    wait_directories(mesh, rest, 0)
    print(f"{count} sessions on 5 nodes opened at {report['rate_done']:.0f}/s, p99 "
          f"{report['latency_us']['p99'] / 1000:.0f} ms; kill -9 of one: all directories right "
          f"{crash_s:.2f} s later; a sixth with {left} sessions ready after {ready_ms:.0f} ms")
