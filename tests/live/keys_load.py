"""Keys under load: a flood of strangers beside honest work, and all keys of a mesh renewed while it
works."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(__file__))
from _keys import Keys  # noqa: E402
from _mesh import BIN, SOURCE, Failed, check, resident_bytes, run_tests, wait_until  # noqa: E402

ATTEMPTS, SECONDS = 10000, 10
MEMORY_MAX = 64 << 20

# AddressSanitizer keeps 256 MiB of what was freed, to catch its use: that is no growth of the node.
os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=8"

spec = importlib.util.spec_from_file_location("client", os.path.join(SOURCE, "examples/client.py"))
client = importlib.util.module_from_spec(spec)
spec.loader.exec_module(client)


def greeting(mechanism):
    return b"\xff" + b"\0" * 8 + b"\x7f\x03\x00" + mechanism.ljust(20, b"\0") + b"\0" * 32


# One that speaks no keys, and one that claims to: its HELLO is noise.
STRANGERS = (greeting(b"NULL"), greeting(b"CURVE") + b"\x04\xc8\x05HELLO" + os.urandom(194))


def flood(node, attempts, seconds, done):
    """Makes so many connections in that time, at an even pace; waits until each is hung up on."""
    started = time.monotonic()
    open_sockets = []
    for i in range(attempts):
        due = started + seconds * i / attempts
        time.sleep(max(0.0, due - time.monotonic()))
        sock = socket.create_connection(("127.0.0.1", node.port("clients")), timeout=20)
        sock.sendall(STRANGERS[i % 2])
        open_sockets.append(sock)
        if len(open_sockets) >= 200:
            done[0] += hung_up(open_sockets.pop(0))
    for sock in open_sockets:
        done[0] += hung_up(sock)


def hung_up(sock):
    try:
        while sock.recv(4096):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError:
        return 0
    finally:
        sock.close()
    return 1


def measure(mesh, node, seconds):
    """p99 of honest requests in us, and how many failed."""
    path = os.path.join(mesh.folder, "bench.json")
    line = [os.path.join(BIN, "weftbench"), "req", "-s", node.clients, "-c", "4", "-r", "200", "-d",
            f"{seconds}s", "--json", path, "--key", os.environ["WEFT_KEY"], "--server-key",
            os.environ["WEFT_SERVER_KEY"]]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    check(done.returncode == 0, f"{' '.join(line)} -> {done.returncode}: {done.stderr}")
    with open(path) as file:
        return json.load(file)


def strangers_by_the_thousand_cost_little(mesh):
    keys = Keys(mesh, "a")
    a = keys.start("a")
    mesh.wait_ready(a)
    quiet = measure(mesh, a, SECONDS)
    memory, first = resident_bytes(a.pid), mesh.counters(a)
    done = [0]
    attack = threading.Thread(target=flood, args=(a, ATTEMPTS, SECONDS, done))
    attack.start()
    busy = measure(mesh, a, SECONDS)
    attack.join()
    last = mesh.counters(a)
    grown = resident_bytes(a.pid) - memory
    failed = last["connections_failed"] - first["connections_failed"]
    p99 = [run["latency_us"]["p99"] for run in (quiet, busy)]
    print(f"  {ATTEMPTS} strangers in {SECONDS} s: {grown / 1048576:.1f} MiB more memory, p99 of "
          f"honest requests {p99[0]} -> {p99[1]} us ({p99[1] / max(p99[0], 1):.2f} times)")
    check(done[0] == ATTEMPTS, f"each was hung up on: {done[0]}")
    check(failed >= ATTEMPTS, f"and counted: {failed}")
    check(grown < MEMORY_MAX, f"memory has grown by {grown} bytes")
    mesh.ctl(a, "node", "ls")


class Caller(threading.Thread):
    """Asks without a pause, one request at a time; moves to another node, or to another key,
    between two requests."""

    def __init__(self, keys, name, node):
        super().__init__(daemon=True)
        self.keys, self.key_name = keys, name
        self.wish = (node, 0)  # node, and how often its key was renewed
        self.has = None
        self.asked = 0
        self.failures = []
        self.is_over = False
        self.start()

    def run(self):
        try:
            session = None
            while not self.is_over:
                wish = self.wish
                if wish != self.has:
                    if session is not None:
                        session.close()
                    session = client.Client(wish[0].clients, self.keys.secret(self.key_name),
                                            self.keys.public(wish[0].node_name))
                    self.has = wish
                outcome, text = session.request("echo", "x", 20000)
                self.asked += 1
                if outcome != "OK":
                    self.failures.append((wish[0].node_name, outcome, text))
            session.close()
        except Exception as error:  # told to the test, whatever it was
            self.failures.append((self.wish[0].node_name, "Exception", repr(error)))

    def move(self, node, renewed=0):
        self.wish = (node, renewed)
        wait_until(lambda: self.has == self.wish or self.failures, "a caller moves")


def hup(*nodes):
    for node in nodes:
        seen = node.log().count(" reloaded ")
        node.signal(signal.SIGHUP)
        wait_until(lambda node=node, seen=seen: node.log().count(" reloaded ") > seen,
                   f"{node.name} has reloaded")


def all_keys_of_a_mesh_are_renewed_at_work(mesh):
    keys = Keys(mesh, "a", "b", "c")
    nodes = dict(zip("abc", keys.trio()))
    for i in range(3):
        keys.make(f"caller{i}", "clients")
    hup(*nodes.values())
    replies = {name: reply(mesh, node) for name, node in nodes.items()}
    callers = [Caller(keys, f"caller{i}", nodes["abc"[i]]) for i in range(3)]
    for name in "abc":
        renew_node(mesh, keys, nodes, replies, callers, name)
    for i, caller in enumerate(callers):
        name = f"caller{i}"
        keys.renew(name, "clients")
        hup(*nodes.values())
        caller.move(caller.has[0], renewed=9)
        keys.revoke("clients", name + "-before")
        hup(*nodes.values())
    before = [caller.asked for caller in callers]
    wait_until(lambda: all(c.asked > n + 20 for c, n in zip(callers, before)), "work goes on")
    for caller in callers:
        caller.is_over = True
        caller.join(30)
    failures = [f for caller in callers for f in caller.failures]
    print(f"  all keys renewed during {sum(c.asked for c in callers)} requests, "
          f"{len(failures)} failed")
    check(not failures, f"no request fails: {failures}")


def reply(mesh, node):
    stream = mesh.run("reply", [os.path.join(BIN, "weftctl"), "-s", node.clients, "reply", "echo",
                                "--echo"])
    stream.wait_log(r"weftctl: ready")
    return stream


def renew_node(mesh, keys, nodes, replies, callers, name):
    """Both keys are known everywhere, the callers go elsewhere, the node comes back with the new
    one, the old one is forgotten."""
    keys.renew(name, "peers")
    old = nodes[name]
    hup(*nodes.values())
    other = nodes["b" if name == "a" else "a"]
    moved = [caller for caller in callers if caller.wish[0] is old]
    for caller in moved:
        caller.move(other, caller.wish[1])
    replies[name].signal(signal.SIGTERM)
    replies[name].wait_exit()
    old.signal(signal.SIGTERM)
    old.wait_exit()
    nodes[name] = keys.start(name, seeds=[n for k, n in nodes.items() if k != name],
                             port=old.port("clients"))
    mesh.wait_agreed(nodes[name], *(n for k, n in nodes.items() if k != name))
    replies[name] = reply(mesh, nodes[name])
    for caller in moved:
        caller.move(nodes[name], caller.wish[1] + 1)
    keys.revoke("peers", name + "-before")
    hup(*nodes.values())


run_tests([
    strangers_by_the_thousand_cost_little,
    all_keys_of_a_mesh_are_renewed_at_work,
])
