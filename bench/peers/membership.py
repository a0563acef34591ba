#!/usr/bin/env python3
"""weft and Serf, the same questions to both, turn by turn on this machine.

How long N nodes started at once need to see each other; how long after kill -9 of one the last of
the others knows; what an idle node costs. Everything runs on the loopback interface of a network
namespace of its own, so that its counters hold this traffic and no other. Serf runs with its
defaults for a LAN, weftd with its defaults. Times end when the last log line was read here.

    bench/peers/membership.py --bin build/release/bin

Needs root (or a user who may make namespaces: `unshare -rn`) and Debian's package `serf`, which
is installed when it is missing and that is possible.
"""

import argparse
import json
import os
import random
import re
import selectors
import signal
import statistics
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _arena import ROOT, enter  # noqa: E402

JOIN_LIMIT_S = 120
KILL_LIMIT_S = 60
SETTLE_S = 10  # after the joins, before an idle mesh is measured


class Weft:
    """How weftd is started, and what its log says of members."""

    name = "weft"
    said = re.compile(rb" member name=n(?P<whom>\d+) state=(?P<what>\w+)")
    alive, dead, sees_itself = b"alive", b"dead", False

    def __init__(self, folder):
        self.program = os.path.join(folder, "weftd")

    def words(self, number):
        host = f"127.0.1.{number}"
        line = [self.program, "--name", f"n{number}", "--host", host, "--port", "7310"]
        return line if number == 1 else line + ["--seed", "127.0.1.1:7311"]


class Serf:
    """The same for Serf, by its LAN profile."""

    name = "Serf"
    said = re.compile(rb"serf: EventMember(?P<what>Join|Failed|Leave|Reap): n(?P<whom>\d+)")
    alive, dead, sees_itself = b"Join", b"Failed", True

    def words(self, number):
        host = f"127.0.1.{number}"
        line = ["serf", "agent", f"-node=n{number}", f"-bind={host}:7946",
                f"-rpc-addr={host}:7373", "-profile=lan"]
        return line if number == 1 else line + ["-join=127.0.1.1:7946"]


class Agents:
    """A mesh of so many processes, and what each of them said last of each member."""

    def __init__(self, kind, count):
        self.kind = kind
        self.count = count
        self.processes, self.rest, self.views = {}, {}, {}
        self.deaths = []  # (observer, whom)
        self.selector = selectors.DefaultSelector()

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        for number in list(self.processes):
            self.kill(number)
        self.selector.close()

    def launch(self, number):
        process = subprocess.Popen(self.kind.words(number), stdin=subprocess.DEVNULL,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        os.set_blocking(process.stdout.fileno(), False)
        self.processes[number], self.rest[number] = process, b""
        self.views[number] = set() if self.kind.sees_itself else {number}
        self.selector.register(process.stdout, selectors.EVENT_READ, number)

    def kill(self, number):
        """Returns when the signal was sent."""
        process = self.processes.pop(number)
        self.selector.unregister(process.stdout)
        process.send_signal(signal.SIGKILL)
        sent = time.monotonic()
        process.wait()
        process.stdout.close()
        del self.views[number]
        return sent

    def hear(self, number, line):
        match = self.kind.said.search(line)
        if match is None:
            return
        whom, what = match["whom"], match["what"]
        if what == self.kind.dead:
            self.deaths.append((number, int(whom)))
        if what == self.kind.alive:
            self.views[number].add(int(whom))
        elif what != b"suspect":
            self.views[number].discard(int(whom))

    def listen(self, limit_s, is_done=lambda: False):
        """Until it is done (the answer: true) or the time is over."""
        end = time.monotonic() + limit_s
        while not is_done():
            left = end - time.monotonic()
            if left <= 0:
                return False
            for key, _ in self.selector.select(min(0.2, left)):
                data = key.fileobj.read()
                if not data:
                    sys.exit(f"{self.kind.name}: agent n{key.data} ended: "
                             f"{self.rest[key.data].decode(errors='replace')}")
                *lines, self.rest[key.data] = (self.rest[key.data] + data).split(b"\n")
                for line in lines:
                    self.hear(key.data, line)
        return True

    def is_whole(self):
        return all(len(view) == self.count for view in self.views.values())

    def join(self):
        """The first, then all others at once; seconds from then until all see all."""
        self.launch(1)
        self.listen(1)
        begun = time.monotonic()
        for number in range(2, self.count + 1):
            self.launch(number)
        if not self.listen(JOIN_LIMIT_S, self.is_whole):
            sys.exit(f"{self.kind.name}: {self.count} agents did not find each other in "
                     f"{JOIN_LIMIT_S} s")
        return time.monotonic() - begun

    def crash(self):
        """One of them, at no fixed place between two probes; seconds until the last one knows,
        None when that took too long; and how many others were called dead meanwhile."""
        victim = random.randrange(2, self.count + 1)
        self.listen(random.random())
        self.deaths.clear()
        sent = self.kill(victim)
        knows = self.listen(KILL_LIMIT_S,
                            lambda: all(victim not in view for view in self.views.values()))
        took = time.monotonic() - sent
        false = sum(whom != victim for _, whom in self.deaths)
        self.launch(victim)
        if not self.listen(JOIN_LIMIT_S, self.is_whole):
            sys.exit(f"{self.kind.name}: n{victim} did not come back")
        return (took if knows else None), false

    def idle(self, seconds):
        """What one agent costs: a share of a core, resident memory, bytes and packets a second."""
        self.listen(SETTLE_S)
        self.deaths.clear()
        cpu, wire, begun = self.cpu_s(), loopback(), time.monotonic()
        self.listen(seconds)
        took = time.monotonic() - begun
        share = took * self.count
        now = loopback()
        return {"cpu_percent": (self.cpu_s() - cpu) / share * 100,
                "resident_mib": statistics.median(map(resident_mib, self.pids())),
                "wire_bytes_s": (now[0] - wire[0]) / share,
                "packets_s": (now[1] - wire[1]) / share,
                "false_deaths": len(self.deaths)}

    def pids(self):
        return [process.pid for process in self.processes.values()]

    def cpu_s(self):
        """Run time in nanoseconds' resolution where the kernel has it: ticks of 10 ms hide a
        process that runs for microseconds."""
        total_ns = 0
        for pid in self.pids():
            for task in os.listdir(f"/proc/{pid}/task"):
                with open(f"/proc/{pid}/task/{task}/schedstat") as file:
                    total_ns += int(file.read().split()[0])
        return total_ns / 1e9


def loopback():
    """Bytes and packets that the interface carried, headers included."""
    with open("/proc/net/dev") as file:
        fields = re.search(r"lo:\s*(.*)", file.read()).group(1).split()
    return int(fields[0]), int(fields[1])


def resident_mib(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") / 2 ** 20


def measure(kind, count, options):
    """All figures of one of the two at one size."""
    joins = []
    for _ in range(options.joins):
        with Agents(kind, count) as agents:
            joins.append(agents.join())
    with Agents(kind, count) as agents:
        joins.append(agents.join())
        figures = agents.idle(options.idle)
        crashes = [agents.crash() for _ in range(options.kills)]
    known = [took for took, _ in crashes if took is not None]
    if len(known) < len(crashes):
        print(f"{kind.name}: {len(crashes) - len(known)} crashes were not known to all after "
              f"{KILL_LIMIT_S} s", file=sys.stderr)
    figures["join_s"] = statistics.median(joins)
    figures["kill_s"] = statistics.median(known) if known else float("inf")
    figures["kill_worst_s"] = max(known) if known else float("inf")
    figures["false_deaths"] += sum(false for _, false in crashes)
    return figures


ROWS = [("all see all after a start at once, s", "join_s", "{:.2f}", 1),
        ("kill -9 known to the last, s (median)", "kill_s", "{:.2f}", 0.1),
        ("kill -9 known to the last, s (worst)", "kill_worst_s", "{:.2f}", None),
        ("idle: share of a core, %", "cpu_percent", "{:.2f}", 1),
        ("idle: resident, MiB", "resident_mib", "{:.1f}", 1),
        ("idle: on the wire, bytes/s an agent", "wire_bytes_s", "{:.0f}", 3),
        ("idle: packets/s an agent", "packets_s", "{:.1f}", None),
        ("deaths of the living", "false_deaths", "{:d}", None)]


def show(count, weft, serf):
    print(f"\n| {count} nodes | weft | Serf | weft / Serf | wanted |\n|---|---|---|---|---|")
    for title, key, form, wanted in ROWS:
        ratio = f"{weft[key] / serf[key]:.2f}" if serf[key] else "-"
        met = ""
        if wanted is not None:
            kept = weft[key] <= wanted * serf[key]
            met = f"<= {wanted:g}" + ("" if kept else ", missed")
        cells = [title, form.format(weft[key]), form.format(serf[key]), ratio, met]
        print("| " + " | ".join(cells) + " |", flush=True)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "release", "bin"),
                        help="folder of weftd (default: build/release/bin)")
    parser.add_argument("--nodes", default="10,30", help="sizes, 3 to 250 (default: 10,30)")
    parser.add_argument("--kills", type=int, default=5, help="at each size (default: 5)")
    parser.add_argument("--joins", type=int, default=4,
                        help="starts at once, besides the one that the rest uses (default: 4)")
    parser.add_argument("--idle", type=float, default=30, help="seconds measured (default: 30)")
    parser.add_argument("--json", action="store_true", help="one object a size instead of tables")
    options = parser.parse_args()
    options.sizes = [int(size) for size in options.nodes.split(",")]
    if not all(3 <= size <= 250 for size in options.sizes) or options.kills < 1:
        parser.error("--nodes takes sizes of 3 to 250, --kills at least 1")
    if not os.access(os.path.join(options.bin, "weftd"), os.X_OK):
        parser.error(f"no weftd in {options.bin}: build it with cmake --preset release && "
                     "cmake --build --preset release, or name its folder with --bin")
    return options


def main():
    options = arguments()
    enter("serf")
    for size in options.sizes:
        weft, serf = (measure(kind, size, options) for kind in (Weft(options.bin), Serf()))
        if options.json:
            print(json.dumps({"nodes": size, "weft": weft, "serf": serf}), flush=True)
        else:
            show(size, weft, serf)


main()
