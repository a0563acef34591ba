"""_mesh.py - what the live tests share: starting real nodes and clients, waiting for conditions,
reading what they say. A test waits for something to become true, never for time to pass.

    with Mesh() as mesh:
        a = mesh.start("a")
        b = mesh.start("b", seeds=[a])
        mesh.wait_ready(a, b)

Every process is ended, by its id, when the block ends; on a failure all their logs are shown."""

import json
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

BIN = os.environ.get("WEFT_BIN") or sys.exit("WEFT_BIN must name the folder of the programs")
SOURCE = os.environ.get("WEFT_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")
LIMIT_S = 30  # for a condition; far beyond what is normal, as a sanitizer's build is slow


class Failed(Exception):
    """The test's claim does not hold."""


def check(holds, claim):
    if not holds:
        raise Failed(claim)


def wait_until(condition, claim, limit_s=LIMIT_S):
    """Returns the condition's first true value."""
    end = time.monotonic() + limit_s
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            raise Failed(f"waited {limit_s:g} s: {claim}")
        time.sleep(0.02)


class Process:
    """One program with its output in files."""

    def __init__(self, folder, name, words, **options):
        self.name = name
        self.words = words
        self.out_path = os.path.join(folder, name + ".out")
        self.log_path = os.path.join(folder, name + ".log")
        with open(self.out_path, "ab") as out, open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=log, **options)
        self.pid = self.process.pid

    def out(self):
        with open(self.out_path, errors="replace") as file:
            return file.read()

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def signal(self, number):
        self.process.send_signal(number)

    def kill(self):
        self.process.kill()
        self.process.wait()

    def wait_exit(self, limit_s=LIMIT_S):
        try:
            return self.process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise Failed(f"{self.name} has not ended after {limit_s:g} s") from None

    def wait_log(self, pattern, limit_s=LIMIT_S):
        def found():
            match = re.search(pattern, self.log())
            if match is None and self.process.poll() is not None:
                raise Failed(f"{self.name} ended with {self.process.returncode} before it said "
                             f"{pattern!r}")
            return match
        return wait_until(found, f"{self.name} says {pattern!r}", limit_s)


class Node(Process):
    def wait_listening(self):
        match = self.wait_log(r" listening clients=(\S+) gossip=(\S+) forward=(\S+)")
        self.clients, self.gossip, self.forward = match.groups()

    def port(self, which):
        return int(getattr(self, which).rsplit(":", 1)[1])


class Mesh:
    def __init__(self):
        self.processes = []
        self.expected_exits = {}

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="weft-live-")
        return self

    def __exit__(self, kind, error, trace):
        for process in self.processes:
            if process.process.poll() is None:
                process.signal(signal.SIGCONT)
                process.signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                if error is None:
                    error = Failed(f"{process.name} did not end within 10 s of SIGTERM")
        for process in self.processes:
            if "Sanitizer" in process.log() or "runtime error:" in process.log() or \
                    process.process.returncode in (99, -signal.SIGABRT, -signal.SIGSEGV):
                error = error or Failed(f"{process.name}: a sanitizer or an assertion spoke")
        if error is not None:
            for process in self.processes:
                print(f"--- {process.name}: {' '.join(process.words)} -> "
                      f"{process.process.returncode}\n{process.log()[-6000:]}"
                      f"{process.out()[-2000:]}", file=sys.stderr)
        subprocess.run(["rm", "-rf", self.folder], check=False)
        if kind is None and error is not None:
            raise error

    def run(self, name, words, **options):
        process = Process(self.folder, f"{len(self.processes):02d}-{name}", words, **options)
        self.processes.append(process)
        return process

    def spawn(self, name, *words, seeds=(), port=0, **options):
        """A node that may or may not come up."""
        line = [os.path.join(BIN, "weftd"), "--name", name, "--port", str(port)]
        if seeds:
            line += ["--seed", ",".join(s if isinstance(s, str) else s.gossip for s in seeds)]
        node = Node(self.folder, f"{len(self.processes):02d}-{name}", line + list(words), **options)
        node.node_name = name
        self.processes.append(node)
        return node

    def start(self, name, *words, **options):
        """A node that listens."""
        node = self.spawn(name, *words, **options)
        node.wait_listening()
        return node

    def trio(self, *words):
        """Three nodes, b and c told of a, all ready and agreed."""
        a = self.start("a", *words)
        b, c = (self.start(name, *words, seeds=[a]) for name in "bc")
        self.wait_agreed(a, b, c)
        return a, b, c

    def ctl(self, node, *words, code=0):
        """Runs weftctl to its end; returns (stdout, stderr). code None: any."""
        server = node if isinstance(node, str) else node.clients
        line = [os.path.join(BIN, "weftctl"), "-s", server, *words]
        done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=LIMIT_S * 2, check=False)
        check("Sanitizer" not in done.stderr, f"{line} is clean:\n{done.stderr}")
        if code is not None:
            check(done.returncode == code, f"{' '.join(line)} exits {code}, not "
                  f"{done.returncode}:\n{done.stdout}{done.stderr}")
        return done.stdout, done.stderr

    def json(self, node, *words, code=0):
        return json.loads(self.ctl(node, "-o", "json", *words, code=code)[0])

    def ctl_stream(self, node, *words):
        """Starts weftctl with a verb that goes on, waits until it stands; .session is its id."""
        stream = self.run("weftctl-" + words[0],
                          [os.path.join(BIN, "weftctl"), "-s", node.clients, "-o", "jsonl",
                           *words])
        stream.session = stream.wait_log(r"weftctl: ready (\S+)").group(1)
        return stream

    def members(self, node):
        """name -> state, as the node sees it."""
        return {m["name"]: m["state"] for m in self.json(node, "node", "ls", "--all")["nodes"]}

    def wait_members(self, node, states, limit_s=LIMIT_S):
        wait_until(lambda: self.members(node) == states, f"{node.name} sees {states}", limit_s)

    def wait_ready(self, *nodes):
        for node in nodes:
            node.wait_log(r" ready\b")

    def wait_agreed(self, *nodes):
        self.wait_ready(*nodes)
        out, _ = self.ctl(nodes[0], "-t", f"{LIMIT_S}s", "check", "cluster", "--nodes",
                          str(len(nodes)))
        return out

    def counters(self, node):
        for entry in self.json(node, "node", "stats", node.node_name)["nodes"]:
            return entry["counters"]
        raise Failed(f"no counters of {node.name}")


def raw_connect(node, which):
    sock = socket.create_connection(("127.0.0.1", node.port(which)), timeout=10)
    return sock


def zmtp_handshake(sock, kind=b"DEALER"):
    """A NULL-mechanism ZMTP 3.0 greeting and READY, by hand; returns when the peer's came."""
    sock.sendall(b"\xff" + b"\0" * 8 + b"\x7f\x03\x00" + b"NULL".ljust(20, b"\0") + b"\0" * 32)
    read_exactly(sock, 64)
    ready = b"\x05READY" + b"\x0bSocket-Type" + struct.pack(">I", len(kind)) + kind
    sock.sendall(bytes([4, len(ready)]) + ready)
    head = read_exactly(sock, 2)
    read_exactly(sock, head[1])


def read_exactly(sock, count):
    data = b""
    while len(data) < count:
        more = sock.recv(count - len(data))
        if not more:
            raise Failed("the peer closed the connection during the handshake")
        data += more
    return data


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def run_tests(tests):
    """Runs each function; prints a line for each; the exit code says whether all held."""
    failed = 0
    chosen = sys.argv[1:]
    for test in tests:
        if chosen and test.__name__ not in chosen:
            continue
        started = time.monotonic()
        try:
            with Mesh() as mesh:
                test(mesh)
            verdict = "ok"
        except (Failed, OSError, ValueError, KeyError, IndexError,
                subprocess.SubprocessError) as why:
            verdict = f"FAILED: {why!r}"
            failed += 1
        print(f"{test.__name__}: {verdict} ({time.monotonic() - started:.1f} s)", flush=True)
    sys.exit(1 if failed else 0)
