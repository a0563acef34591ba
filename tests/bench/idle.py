#!/usr/bin/env python3
"""idle.py - what nodes cost that have nothing to do: their share of a core, and the memory that is
resident. First three nodes alone, then with sessions on the first one that say nothing.

    tests/bench/idle.py [SECONDS [SESSIONS]]      default: 60 s each, 17,500 sessions

WEFT_BIN names the folder of the programs. A session takes a descriptor of its node: 20,000 are more
than a node has whose hard limit is 20,000."""

import os
import re
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault("WEFT_BIN", os.path.join(HERE, "..", "..", "build", "release", "bin"))
sys.path.insert(0, os.path.join(HERE, "..", "live"))
from _mesh import BIN, Mesh  # noqa: E402

SECONDS = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
SESSIONS = int(sys.argv[2]) if len(sys.argv) > 2 else 17500
PROCESSES = 5
SETTLE_S = 5.0


def cpu_ns(node):
    """Of all its threads, as the scheduler counts it."""
    total = 0
    for thread in os.listdir(f"/proc/{node.pid}/task"):
        with open(f"/proc/{node.pid}/task/{thread}/schedstat") as file:
            total += int(file.read().split()[0])
    return total


def resident_mib(node):
    with open(f"/proc/{node.pid}/status") as file:
        return int(re.search(r"VmRSS:\s+(\d+)", file.read()).group(1)) / 1024


def show(nodes, what):
    time.sleep(SETTLE_S)
    before = [cpu_ns(node) for node in nodes]
    time.sleep(SECONDS)
    for node, spent in zip(nodes, before):
        share = (cpu_ns(node) - spent) / (SECONDS * 1e9)
        print(f"{what:16}  {node.node_name}  {100 * share:6.3f} %  {resident_mib(node):7.1f} MiB",
              flush=True)


def main():
    with Mesh() as mesh:
        nodes = mesh.trio()
        show(nodes, "nothing")
        bench = mesh.run("weftbench", [
            os.path.join(BIN, "weftbench"), "conn", "-s", nodes[0].clients, "-c", str(SESSIONS),
            "--procs", str(PROCESSES), "--hold"])
        bench.wait_log(r"holding \d+ sessions", 120)
        show(nodes, f"{SESSIONS:,} sessions")
    print("load of the machine, 1 5 15 minutes:", *os.getloadavg())


main()
