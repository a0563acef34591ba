#!/usr/bin/env python3
"""What a snapshot of 1,000,000 sessions does to the node that serves it.

    WEFT_BIN=build/release/bin tests/bench/snapshot.py [--sessions 1000000] [--rounds 5]

Node `a` hosts the sessions (bench_node: weftd with a directory that was filled at the start); `b`
has them all. Between the two, requests go both ways at a fixed rate, and both ping each other. Turn
by turn, for some seconds each: nothing else happens; joiners come one after the other, each pulls
the whole directory from `a`, is ready, and leaves; a process burns as much CPU as a joiner took, as
often. Prints p50 and p99 of requests and of pings, and joiner : burner, which is to stay below 2.
A bench, not a test: it judges nothing."""

import argparse
import json
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "live"))
from _directory import log_ms  # noqa: E402
from _mesh import BIN, Mesh, Node  # noqa: E402

NODE = os.path.join(BIN, "..", "tests", "bench_node")
PHASES = ("nothing", "joiner", "burner")
BURN = "import time\nwhile time.process_time() < {seconds:f}: pass"


def start_node(mesh, name, period_ms, sessions, seeds):
    environment = dict(os.environ, WEFT_NODE_SESSIONS=str(sessions),
                       WEFT_NODE_PINGS=os.path.join(mesh.folder, name + ".pings"))
    line = [NODE, "--name", name, "--port", "0", "--set", f"gossip.period_ms={period_ms}"]
    if seeds:
        line += ["--seed", ",".join(seed.gossip for seed in seeds)]
    node = Node(mesh.folder, name, line, env=environment)
    node.node_name = name
    mesh.processes.append(node)
    node.wait_listening()
    node.pings = environment["WEFT_NODE_PINGS"]
    return node


def children_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


class Joiners:
    """Comes, pulls everything, is ready, leaves. Only what is waited for here counts as its CPU."""

    def __init__(self, mesh, seed, period_ms):
        self.mesh, self.seed, self.period_ms = mesh, seed, period_ms
        self.cpu_s, self.wall_s, self.pull_s, self.sessions = [], [], [], set()

    def one(self):
        begun, before = time.monotonic(), children_cpu_s()
        node = Node(self.mesh.folder, f"joiner-{len(self.cpu_s)}", [
            os.path.join(BIN, "weftd"), "--name", "joiner", "--port", "0", "--seed",
            self.seed.gossip, "--set", f"gossip.period_ms={self.period_ms}"])
        synced = node.wait_log(r" synced handlers=\d+ sessions=(\d+)")
        self.sessions.add(int(synced.group(1)))
        self.pull_s.append((log_ms(node, "synced") - log_ms(node, "joined")) / 1000)
        node.signal(signal.SIGTERM)
        node.wait_exit()
        self.cpu_s.append(children_cpu_s() - before)
        self.wall_s.append(time.monotonic() - begun)

    def burn(self):
        """The same CPU in the same time, without a joiner."""
        begun = time.monotonic()
        burner = subprocess.Popen([sys.executable, "-c",
                                   BURN.format(seconds=statistics.mean(self.cpu_s))])
        burner.wait()
        time.sleep(max(0, statistics.mean(self.wall_s) - (time.monotonic() - begun)))


def run_phase(phase, joiners, a, b, options):
    """One round: its requests' report, its window on the clock of the pings, its cycles."""
    with tempfile.NamedTemporaryFile(suffix=".json") as report:
        window = [time.clock_gettime_ns(time.CLOCK_BOOTTIME)]
        load = subprocess.Popen([
            os.path.join(BIN, "weftbench"), "req", "-s", f"{a.clients},{b.clients}", "--route",
            "remote", "-c", "16", "-r", str(options.rate), "-d", f"{options.seconds}s",
            "--warmup", "500ms", "--json", report.name], stdout=subprocess.DEVNULL)
        cycles = 0
        end = time.monotonic() + options.seconds
        while time.monotonic() < end:
            cycles += 1
            if phase == "joiner":
                joiners.one()
            elif phase == "burner":
                joiners.burn()
            else:
                time.sleep(0.1)
        window.append(time.clock_gettime_ns(time.CLOCK_BOOTTIME))
        if load.wait() != 0:
            sys.exit("the load did not hold")
        return {"requests": json.load(open(report.name)), "window": window, "cycles": cycles}


def pings_between(node, peer, windows):
    """Round trips to `peer` in us that ended within one of the windows."""
    found = []
    with open(node.pings) as file:
        for line in file:
            at_ns, instance, rtt_us = line.split()
            if instance == peer and any(w[0] <= int(at_ns) <= w[1] for w in windows):
                found.append(int(rtt_us))
    return sorted(found)


def quantile(values, share):
    return values[min(len(values) - 1, int(share * len(values)))] if values else 0


def instances(mesh, node):
    return {m["name"]: m["instance"] for m in mesh.json(node, "node", "ls")["nodes"]}


def report_all(mesh, rounds, a, b, joiners):
    names = instances(mesh, a)
    print(f"{'us':9}" + "".join(f"{what:>25}" for what in ("requests", "pings a to b",
                                                           "pings b to a")))
    print(f"{'':9}" + f"{'p50':>8}{'p99':>8}{'count':>9}" * 3)
    p99 = {}
    for phase in PHASES:
        mine = rounds[phase]
        windows = [r["window"] for r in mine]
        columns = [[statistics.median(r["requests"]["latency_us"][q] for r in mine)
                    for q in ("p50", "p99")]]  # of each round; their median
        for node, peer in ((a, "b"), (b, "a")):
            values = pings_between(node, names[peer], windows)
            columns.append([quantile(values, 0.5), quantile(values, 0.99), len(values)])
        p99[phase] = [c[1] for c in columns]
        count = sum(r["requests"]["latency_us"]["count"] for r in mine)
        columns[0].append(count)
        print(f"{phase:9}" + "".join(f"{c[0]:8.0f}{c[1]:8.0f}{c[2]:9d}" for c in columns))
    ratios = [j / max(1, x) for j, x in zip(p99["joiner"], p99["burner"])]
    print("joiner : burner, p99    " + ", ".join(f"{r:.2f}" for r in ratios))
    seconds = sum((r["window"][1] - r["window"][0]) / 1e9 for r in rounds["joiner"])
    print(f"{len(joiners.cpu_s)} joiners, each with {joiners.sessions} sessions after "
          f"{statistics.median(joiners.pull_s) * 1000:.0f} ms (median; {max(joiners.pull_s):.3f} s "
          f"at most) and {statistics.mean(joiners.cpu_s):.2f} s of CPU; a snapshot was under way "
          f"{100 * sum(joiners.pull_s) / seconds:.0f} % of the time")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    parser.add_argument("--sessions", type=int, default=1000000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=6, help="of each phase in each round")
    parser.add_argument("--rate", type=int, default=2000, help="requests a second, both ways")
    parser.add_argument("--period", type=int, default=25, help="gossip.period_ms: more pings")
    options = parser.parse_args()
    with Mesh() as mesh:
        a = start_node(mesh, "a", options.period, options.sessions, [])
        b = start_node(mesh, "b", options.period, 0, [a])
        mesh.wait_agreed(a, b)
        joiners = Joiners(mesh, a, options.period)
        joiners.one()  # the burner must know what a joiner takes
        sent = mesh.counters(a)["forward_bytes_out"]
        joiners.one()
        sent = mesh.counters(a)["forward_bytes_out"] - sent
        print(f"a sends {sent / 1e6:.1f} MB for one joiner")
        rounds = {phase: [] for phase in PHASES}
        for _ in range(options.rounds):
            for phase in PHASES:
                rounds[phase].append(run_phase(phase, joiners, a, b, options))
        report_all(mesh, rounds, a, b, joiners)


main()
