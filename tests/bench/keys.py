#!/usr/bin/env python3
"""keys.py - what keys cost: requests a second and CPU a request, without and with them, in turn, on
two nodes of this machine. WEFT_BIN names the folder of the programs; words are passed on to
`weftbench req` (default: -c 20 -P 4 -d 5s)."""

import json
import os
import signal
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
os.environ.setdefault("WEFT_BIN", os.path.join(HERE, "..", "..", "build", "release", "bin"))
sys.path.insert(0, os.path.join(HERE, "..", "live"))
from _keys import Keys  # noqa: E402
from _mesh import BIN, Mesh, check  # noqa: E402

ROUNDS = 2
WORDS = sys.argv[1:] or ["-c", "20", "-P", "4", "-d", "5s"]


def measure(mesh, nodes, route, environment):
    path = os.path.join(mesh.folder, "bench.json")
    line = [os.path.join(BIN, "weftbench"), "req", "-s", ",".join(n.clients for n in nodes),
            "--route", route, "--json", path, *WORDS]
    if environment:
        line += ["--key", environment["WEFT_KEY"], "--server-key", environment["WEFT_SERVER_KEY"]]
    done = subprocess.run(line, capture_output=True, text=True, check=False)
    check(done.returncode == 0, f"{line}: {done.stdout}{done.stderr}")
    with open(path) as file:
        return json.load(file)


def main():
    print("keys   route   requests/s  p50 us  p99 us  nodes' CPU us  clients' CPU us")
    with Mesh() as mesh:
        keys = Keys(mesh, "a", "b")
        words = {name: os.environ[name] for name in ("WEFT_KEY", "WEFT_SERVER_KEY")}
        for with_keys in (False, True) * ROUNDS:
            if with_keys:
                os.environ.update(words)
                a = keys.start("a")
                nodes = [a, keys.start("b", seeds=[a])]
            else:
                for name in words:
                    os.environ.pop(name, None)
                a = mesh.start("a")
                nodes = [a, mesh.start("b", seeds=[a])]
            mesh.wait_agreed(*nodes)
            for route in ("local", "remote"):
                run = measure(mesh, nodes, route, words if with_keys else None)
                latency, cost = run["latency_us"], run["cost"]
                print(f"{'yes' if with_keys else 'no':5}  {route:6}  "
                      f"{run['rate_done']:10.0f}  {latency['p50']:6.0f}  "
                      f"{latency['p99']:6.0f}  {cost['cpu_us_per_request']:13.1f}  "
                      f"{cost['clients_cpu_us_per_request']:15.1f}", flush=True)
            for node in nodes:
                node.signal(signal.SIGTERM)
                node.wait_exit()
    print("load of the machine, 1 5 15 minutes:", *os.getloadavg())


main()
