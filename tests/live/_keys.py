"""_keys.py - what the live tests of keys share: folders of keys, nodes and clients that use them,
and a proxy that remembers or damages what passes."""

import json
import os
import shutil
import subprocess

from _mesh import BIN, check
from _proxy import Proxy


def ctl(server, *words, key=None, server_key=None, code=None):
    """Runs weftctl under a key; returns (exit code, stdout, stderr)."""
    line = [os.path.join(BIN, "weftctl"), "-s", server, "-t", "10s"]
    if key:
        line += ["--key", key]
    if server_key:
        line += ["--server-key", server_key]
    done = subprocess.run(line + list(words), stdin=subprocess.DEVNULL, capture_output=True,
                          text=True, timeout=60, check=False)
    if code is not None:
        check(done.returncode == code,
              f"{' '.join(line + list(words))} exits {code}, not {done.returncode}: "
              f"{done.stdout}{done.stderr}")
    return done.returncode, done.stdout, done.stderr


class Keys:
    """own/: secret files; peers/, clients/: who is taken. A client `ops` is there already, and is
    what Mesh's own weftctl speaks under."""

    def __init__(self, mesh, *nodes):
        self.mesh = mesh
        self.folder = os.path.join(mesh.folder, "keys")
        for name in ("own", "peers", "clients"):
            os.makedirs(self.path(name), mode=0o755, exist_ok=True)
        for name in nodes:
            self.make(name, "peers")
        self.make("ops", "clients")
        os.environ["WEFT_KEY"] = self.secret("ops")
        os.environ["WEFT_SERVER_KEY"] = self.path("peers")

    def path(self, *parts):
        return os.path.join(self.folder, *parts)

    def secret(self, name):
        return self.path("own", name + ".key_secret")

    def public(self, name):
        return self.path("own", name + ".key")

    def make(self, name, where=None, *words):
        """A new pair; its public half goes to `where`."""
        subprocess.run([os.path.join(BIN, "weftctl"), "key", "new", name, "--folder",
                        self.path("own"), *words], check=True, stdout=subprocess.DEVNULL)
        if where:
            shutil.copy(self.public(name), self.path(where, name + ".key"))

    def renew(self, name, where):
        """A second pair of that name; both public halves are in `where` then."""
        shutil.move(self.path(where, name + ".key"), self.path(where, name + "-before.key"))
        os.remove(self.secret(name))
        os.remove(self.public(name))
        self.make(name, where)

    def revoke(self, where, name):
        os.remove(self.path(where, name + ".key"))

    def words(self, name, clients=None):
        return ("--key", self.secret(name), "--peers", self.path("peers"), "--clients",
                clients or self.path("clients"))

    def start(self, name, *words, seeds=(), clients=None, port=0):
        return self.mesh.start(name, *self.words(name, clients), *words, seeds=seeds, port=port)

    def trio(self, *words):
        a = self.start("a", *words)
        b, c = (self.start(name, *words, seeds=[a]) for name in "bc")
        self.mesh.wait_agreed(a, b, c)
        return a, b, c


def state(mesh, node):
    """What there is: each node's hash of members, handlers, and how many sessions beside ours."""
    status = json.loads(mesh.ctl(node, "-o", "json", "cluster", "status")[0])
    sessions = json.loads(mesh.ctl(node, "-o", "json", "session", "ls")[0])
    return ({n["node"]: n["members_hash"] for n in status["nodes"]}, status["handlers"],
            sessions["total"] - 1)


class Recorder(Proxy):
    """Remembers what the client sent and what came back; flips one bit of the byte number
    `flip_at` of what the client sends, if that is set."""

    def __init__(self, target, flip_at=None):
        self.sent = b""
        self.answered = b""
        self.flip_at = flip_at
        super().__init__(target)

    def pass_on(self, client, node, left):
        import select
        while not self.is_over:
            ready, _, _ = select.select([client, node], [], [], 1)
            for sock in ready:
                data = sock.recv(65536)
                if not data:
                    return
                if sock is client:
                    data = self.damage(data)
                    self.sent += data
                    node.sendall(data)
                else:
                    self.answered += data
                    client.sendall(data)

    def damage(self, data):
        at = None if self.flip_at is None else self.flip_at - len(self.sent)
        if at is None or not 0 <= at < len(data):
            return data
        self.flip_at = None
        return data[:at] + bytes([data[at] ^ 1]) + data[at + 1:]
