"""bench/peers/requests.py runs: its programs build, each system answers, the table has its ratios.
Without NATS, which a test need not install."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, SOURCE, check, run_tests  # noqa: E402


def weft_is_measured_beside_libzmq_by_hand(mesh):
    raw = os.path.join(mesh.folder, "raw.jsonl")
    done = subprocess.run(
        [sys.executable, "-B", os.path.join(SOURCE, "bench", "peers", "requests.py"), "--bin", BIN,
         "--rounds", "2", "--seconds", "0.2", "--systems", "weft,drain,coalesce", "--json", raw,
         "--shapes", "two:64:8,local:64:1,fan:64:1"],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240, check=False)
    check(done.returncode == 0, f"it ends well: {done.stdout}{done.stderr}")
    with open(raw) as file:
        runs = [json.loads(line) for line in file]
    check(len(runs) == 2 * (3 + 3 + 2), "two rounds, each system at each shape; no fan by coalesce")
    check(all(run["rate"] > 0 and run["p99_us"] >= run["p50_us"] > 0 and run["nodes_cpu_us"] > 0
              for run in runs), f"each has its figures: {runs}")
    check("| two nodes | 64 | 8 |" in done.stdout and
          "| 1 to 100 subscribers | 64 | 1 |" in done.stdout, f"in a table: {done.stdout}")


run_tests([weft_is_measured_beside_libzmq_by_hand])
