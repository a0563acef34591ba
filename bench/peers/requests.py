#!/usr/bin/env python3
"""Requests and updates through weft, through NATS and through bare libzmq: the same shapes, turn by
turn.

A caller asks an echo handler on the same node (local), or on another one (two); N requests are
outstanding. Or one session publishes and 100 subscribers on the two other nodes are told (fan). In
each round every system has its turn at every shape, and what counts is the ratio within a round;
the table shows the median of the rounds' ratios and their range. Three nodes of weft and three
servers of NATS stand all the while, idle but for their turns.

    weft       weftbench req or pubsub, --check: a run with a violation ends everything
    drain      libzmq by hand, a message a request or receiver, drained in batches (floor.c)
    coalesce   libzmq by hand, all records that go one way in a message (floor.c); not of fan
    asap       NATS with its C library, each message written at once (nats.c)
    buffered   NATS with its C library, flushed by its thread: the library's default

weft's publisher waits for the mesh to confirm an update, the others' for the last subscriber: with
many outstanding weft's outruns its subscribers until their queues of 10,000 messages are full, the
nodes end their sessions, and such a run fails as it should. Fan-out is therefore asked with few.

    bench/peers/requests.py                      all requests, 5 rounds: about 12 minutes
    bench/peers/requests.py --shapes fan:64:1,fan:1024:1 --systems weft,drain,asap,buffered
    bench/peers/requests.py --shapes two:64:256 --rounds 3

Needs root (or a user who may make namespaces: `unshare -rn`), gcc and Debian's packages
nats-server, libnats-dev and libzmq3-dev, which are installed when they are missing.
"""

import argparse
import collections
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from _arena import ROOT, enter  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
SHAPES = ("two:64:1,two:64:64,two:64:256,two:64:1024,two:1024:1,two:1024:64,two:1024:1024,"
          "local:64:1,local:64:64,local:64:1024,local:1024:1,local:1024:64,local:1024:1024")
SUBSCRIBERS = 100
SYSTEMS = ("weft", "drain", "coalesce", "asap", "buffered")
START_LIMIT_S = 30

Shape = collections.namedtuple("Shape", "way size outstanding")


class Server:
    """One process and the file of what it says."""

    def __init__(self, folder, name, words):
        self.path = os.path.join(folder, name + ".log")
        with open(self.path, "wb") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)

    def wait_for(self, pattern):
        end = time.monotonic() + START_LIMIT_S
        while time.monotonic() < end and self.process.poll() is None:
            with open(self.path, errors="replace") as log:
                match = re.search(pattern, log.read())
            if match:
                return match
            time.sleep(0.02)
        with open(self.path, errors="replace") as log:
            sys.exit(f"{' '.join(self.process.args)} did not say {pattern!r}:\n{log.read()}")


class Weft:
    """Three nodes; the caller is on the first, the handler asked on it or on the second."""

    def __init__(self, folder, options):
        self.bench = os.path.join(options.bin, "weftbench")
        self.seconds = options.seconds
        self.nodes, self.addresses = [], []
        weftd = os.path.join(options.bin, "weftd")
        for number in range(3):
            words = [weftd, "--name", f"n{number}", "--port", "0"]
            if self.nodes:
                words += ["--seed", seed]
            node = Server(folder, f"weft-{number}", words)
            self.nodes.append(node)
            match = node.wait_for(r" listening clients=(\S+) gossip=(\S+)")
            self.addresses.append(match.group(1))
            seed = match.group(2) if number == 0 else seed
            node.wait_for(r" ready\n")

    def run(self, _, shape):
        words = ["pubsub", "-c", str(SUBSCRIBERS), "--route", "remote"]
        servers = self.addresses
        if shape.way != "fan":
            words = ["req", "-c", "1", "--route", "remote" if shape.way == "two" else "local"]
            servers = self.addresses[:2] if shape.way == "two" else self.addresses[:1]
        words = [self.bench, *words, "-s", ",".join(servers), "-P", str(shape.outstanding), "-z",
                 str(shape.size), "-d", f"{self.seconds}s", "--warmup", "300ms", "--check",
                 "--json", "-"]
        done = subprocess.run(words, capture_output=True, text=True, check=False,
                              timeout=self.seconds + 60)
        if done.returncode != 0:
            sys.exit(f"{' '.join(words)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
        said = json.loads(done.stdout)
        if said["verdict"] != "PASS" or set(said["outcomes"]) != {"OK"}:
            sys.exit(f"weftbench found a violation: {done.stdout}")
        is_fan = shape.way == "fan"
        rate = said["receipts"]["per_s"] if is_fan else said["rate_done"]
        each = "receipt" if is_fan else "request"
        return {"rate": rate, "p50_us": said["latency_us"]["p50"],
                "p99_us": said["latency_us"]["p99"],
                "nodes_cpu_us": said["cost"]["cpu_us_per_" + each],
                "messages_per_frame": said["cost"]["messages_per_frame"]}


class Program:
    """One of the programs here, that prints its result as JSON."""

    def __init__(self, folder, name, library):
        self.path = os.path.join(folder, name)
        sources = [os.path.join(ROOT, file)
                   for file in (f"bench/peers/{name}.c", "bench/peers/peer.c", "bench/histogram.c",
                                "bench/machine.c", "mesh/base/loglinear.c")]
        subprocess.run(["gcc", "-std=c17", "-O2", "-D_GNU_SOURCE", "-I", ROOT, "-o", self.path,
                        *sources, library], check=True)

    def ask(self, words, seconds):
        line = [self.path, *map(str, words)]
        done = subprocess.run(line, capture_output=True, text=True, check=False,
                              timeout=seconds + 60)
        if done.returncode != 0:
            sys.exit(f"{' '.join(line)} ended with {done.returncode}:\n{done.stderr}")
        return json.loads(done.stdout)


class Floor:
    """libzmq by hand: starts its nodes itself, each time."""

    def __init__(self, folder, options):
        self.program = Program(folder, "floor", "-lzmq")
        self.seconds = options.seconds

    def run(self, system, shape):
        return self.program.ask([shape.way, system, shape.size, shape.outstanding, self.seconds],
                                self.seconds)


class Nats:
    """Three servers with routes; requester at the first, responder at it or at the second."""

    def __init__(self, folder, options):
        self.program = Program(folder, "nats", "-lnats")
        self.seconds = options.seconds
        self.servers = []
        for number in range(3):
            self.servers.append(Server(folder, f"nats-{number}", [
                "nats-server", "-a", "127.0.0.1", "-p", str(4222 + number), "-n", f"n{number}",
                "--cluster_name", "bench", "--cluster", f"nats://127.0.0.1:{6222 + number}",
                "--routes", "nats://127.0.0.1:6222"]))
            self.servers[-1].wait_for(r"Server is ready")
        for server in self.servers[1:]:
            server.wait_for(r"Route connection created")

    def run(self, system, shape):
        ports = {"two": "4222,4223", "local": "4222,4222", "fan": "4222,4223,4224"}[shape.way]
        count = {"two": 2, "local": 1, "fan": 3}[shape.way]
        pids = [server.process.pid for server in self.servers[:count]]
        return self.program.ask([ports, system, shape.size, shape.outstanding, self.seconds,
                                 *pids], self.seconds)


def median_and_range(values):
    return f"{statistics.median(values):.2f} ({min(values):.2f}-{max(values):.2f})"


def ratios(rounds, shape, figure, system):
    return median_and_range([one[shape]["weft"][figure] / one[shape][system][figure]
                             for one in rounds])


def show(rounds, shapes, figure, title, systems):
    """One table: a line a shape, weft's own median and its ratio to each of the systems."""
    systems = [system for system in systems if system in rounds[0][shapes[0]]]
    print(f"\n{title}\n\n| | bytes | outstanding | weft | "
          + " | ".join(f"weft : {system}" for system in systems) + " |")
    print("|---|---|---|---|" + "---|" * len(systems))
    for shape in shapes:
        way = {"two": "two nodes", "local": "one node", "fan": "1 to 100 subscribers"}[shape.way]
        own = statistics.median(one[shape]["weft"][figure] for one in rounds)
        cells = [ratios(rounds, shape, figure, system) for system in systems]
        shown = f"{own:,.0f}" if own >= 100 else f"{own:.2f}"
        print(f"| {way} | {shape.size} | {shape.outstanding} | {shown} | "
              + " | ".join(cells) + " |")


def show_all(rounds, shapes, options):
    requests = [shape for shape in shapes if shape.way != "fan"]
    alone = [shape for shape in requests if shape.outstanding == 1]
    many = [shape for shape in requests if shape.outstanding > 1]
    fans = [shape for shape in shapes if shape.way == "fan"]
    others = [system for system in options.systems if system != "weft"]
    for chosen, figure, title in (
            (alone, "p50_us", "One caller, p50 in us; lower is better"),
            (alone, "p99_us", "One caller, p99 in us; lower is better"),
            (many, "rate", "Requests a second; higher is better"),
            (many, "p99_us", "p99 in us; lower is better"),
            (requests, "nodes_cpu_us", "CPU of the nodes a request, in us; lower is better"),
            (fans, "rate", "Updates that came to a subscriber, a second; higher is better"),
            (fans, "p99_us", "From publishing to each subscriber, p99 in us; lower is better"),
            (fans, "nodes_cpu_us", "CPU of the nodes an update and subscriber, in us; lower is "
                                   "better")):
        if chosen:
            show(rounds, chosen, figure, title, others)


def takes_part(system, shape):
    return shape.way != "fan" or system != "coalesce"


def one_round(number, drivers, shapes, options):
    """Each system at each shape; who begins moves on from round to round."""
    results = {}
    for shape in shapes:
        results[shape] = {}
        turn = number % len(options.systems)
        for system in options.systems[turn:] + options.systems[:turn]:
            if not takes_part(system, shape):
                continue
            results[shape][system] = drivers[system].run(system, shape)
        line = ", ".join(f"{system} {results[shape][system]['rate']:.0f}/s"
                         for system in results[shape])
        print(f"round {number + 1}: {shape.way} {shape.size} B x {shape.outstanding}: {line}",
              file=sys.stderr, flush=True)
    return results


def write_raw(file, rounds):
    with open(file, "w") as out:
        for number, one in enumerate(rounds):
            for shape, systems in one.items():
                for system, result in systems.items():
                    out.write(json.dumps({"round": number + 1, **shape._asdict(),
                                          "system": system, **result}) + "\n")


def shapes_of(text):
    shapes = []
    for word in text.split(","):
        match = re.fullmatch(r"(two|local|fan):(\d+):(\d+)", word)
        if not match or int(match.group(2)) < 40 or int(match.group(3)) < 1:
            raise argparse.ArgumentTypeError(
                f"{word!r} is not two|local|fan:BYTES:OUTSTANDING with at least 40 bytes")
        shapes.append(Shape(match.group(1), int(match.group(2)), int(match.group(3))))
    return shapes


def systems_of(text):
    systems = text.split(",")
    if "weft" not in systems or any(system not in SYSTEMS for system in systems):
        raise argparse.ArgumentTypeError(f"weft and others of {', '.join(SYSTEMS)}")
    return systems


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bin", default=os.path.join(ROOT, "build", "release", "bin"),
                        help="folder of weftd and weftbench (default: build/release/bin)")
    parser.add_argument("--rounds", type=int, default=5, help="default: 5")
    parser.add_argument("--seconds", type=float, default=1, help="of each run (default: 1)")
    parser.add_argument("--shapes", type=shapes_of, default=shapes_of(SHAPES),
                        help="two|local|fan:BYTES:OUTSTANDING,.. (default: those of two and local)")
    parser.add_argument("--systems", type=systems_of, default=list(SYSTEMS),
                        help="weft and others, by comma (default: all)")
    parser.add_argument("--json", help="also write each run to this file, a line each")
    return parser.parse_args()


def main():
    options = arguments()
    options.bin = os.path.abspath(options.bin)
    packages = ["libzmq3-dev", "gcc", "libc6-dev", "iproute2", "util-linux"]
    if {"asap", "buffered"} & set(options.systems):
        packages += ["nats-server", "libnats-dev"]
    enter(*packages)
    with tempfile.TemporaryDirectory(prefix="weft-peers-") as folder:
        drivers = {"weft": Weft(folder, options)}
        if {"drain", "coalesce"} & set(options.systems):
            drivers["drain"] = drivers["coalesce"] = Floor(folder, options)
        if {"asap", "buffered"} & set(options.systems):
            drivers["asap"] = drivers["buffered"] = Nats(folder, options)
        load = os.getloadavg()[0]
        rounds = [one_round(number, drivers, options.shapes, options)
                  for number in range(options.rounds)]
    print(f"{options.rounds} rounds of {options.seconds:g} s a run; the machine's load before: "
          f"{load:.1f}{' - it was busy: trust ratios only' if load > 0.5 else ''}")
    show_all(rounds, options.shapes, options)
    if options.json:
        write_raw(options.json, rounds)


main()
