"""_membership.py - what the live tests of membership share: a mesh of many nodes whose log lines
are followed, nodes that crash and come back, nodes that are stopped for a second while every core
is busy."""

import os
import random
import signal
import statistics
import subprocess
import sys
import time

from _mesh import Failed, check, wait_until

DETECTION_LIMIT_S = 10  # what is normal is told as a figure; only this far beyond is it a failure
BURN = "import time\nend = time.monotonic() + {seconds}\nwhile time.monotonic() < end: pass"


class Follower:
    """Reads what a node's log gained, and remembers what it last said of each member."""

    def __init__(self, node):
        self.node = node
        self.position = 0
        self.states = {node.node_name: "alive"}
        self.deaths = []  # every name it ever called dead, in order

    def read(self):
        with open(self.node.log_path, "rb") as file:
            file.seek(self.position)
            data = file.read()
        whole = data[:data.rfind(b"\n") + 1]
        self.position += len(whole)
        for line in whole.decode(errors="replace").splitlines():
            words = line.split()
            if len(words) < 3 or words[2] != "member":
                continue
            said = dict(word.split("=", 1) for word in words[3:] if "=" in word)
            self.states[said["name"]] = said["state"]
            if said["state"] == "dead":
                self.deaths.append(said["name"])


class Crowd:
    """Nodes n0 .. of one mesh, each with its follower. n0 is the seed and is never killed."""

    def __init__(self, mesh, count):
        self.mesh = mesh
        self.followers = {}
        self.seed = mesh.start("n0")
        self.followers["n0"] = Follower(self.seed)
        for number in range(1, count):
            self.launch(f"n{number}")
        self.wait_whole()

    def launch(self, name):
        self.followers[name] = Follower(self.mesh.spawn(name, seeds=[self.seed]))

    def all_say(self, names, state):
        """Whether every node says so of each of these, itself aside."""
        for follower in self.followers.values():
            follower.read()
        return all(follower.states.get(name) == state for follower in self.followers.values()
                   for name in names)

    def wait_whole(self):
        names = list(self.followers)
        wait_until(lambda: self.all_say(names, "alive"), f"all {len(names)} see all", 60)

    def crash(self, name):
        """Kills the node; the seconds until the last of the others calls it dead."""
        victim = self.followers.pop(name).node
        killed = time.monotonic()
        victim.kill()
        wait_until(lambda: self.all_say([name], "dead"), f"all see that {name} is dead",
                   DETECTION_LIMIT_S)
        return time.monotonic() - killed

    def deaths(self):
        """How many deaths each node has told so far: a mark for deaths_since()."""
        self.all_say([], "dead")
        return {name: len(follower.deaths) for name, follower in self.followers.items()}

    def deaths_since(self, mark):
        self.all_say([], "dead")
        return [f"{name} called {dead} dead" for name, follower in self.followers.items()
                for dead in follower.deaths[mark.get(name, 0):]]


class Burners:
    """Keeps every core busy while the block runs, and never longer than so many seconds."""

    def __init__(self, seconds):
        self.line = [sys.executable, "-c", BURN.format(seconds=seconds)]
        self.processes = []

    def __enter__(self):
        for _ in range(os.cpu_count() or 1):
            self.processes.append(subprocess.Popen(self.line, stdin=subprocess.DEVNULL))
        return self

    def __exit__(self, kind, error, trace):
        for process in self.processes:
            process.kill()
            process.wait()


def crash_again_and_again(mesh, nodes, times):
    """kill -9 of one node after the other; everyone must learn it, nobody else may be blamed."""
    crowd = Crowd(mesh, nodes)
    took = []
    for _ in range(times):
        name = f"n{random.randrange(1, nodes)}"
        time.sleep(random.random() / 2)  # at no fixed place between two probes
        mark = crowd.deaths()
        took.append(crowd.crash(name))
        blamed = [line for line in crowd.deaths_since(mark) if not line.endswith(f" {name} dead")]
        check(not blamed, f"only {name} crashed: {blamed}")
        crowd.launch(name)
        crowd.wait_whole()
    print(f"kill -9, {nodes} nodes, {times} times: known to all after "
          f"{statistics.median(took) * 1000:.0f} ms (median), {max(took) * 1000:.0f} ms (worst)")


def stop_again_and_again(mesh, nodes, times, busy_s):
    """SIGSTOP of one node for a second, again and again, with all cores busy: nobody dies of it."""
    crowd = Crowd(mesh, nodes)
    mark = crowd.deaths()
    begun = time.monotonic()
    with Burners(busy_s + 4 * times):
        for _ in range(times):
            node = crowd.followers[f"n{random.randrange(0, nodes)}"].node
            node.signal(signal.SIGSTOP)
            try:
                time.sleep(1)
            finally:
                node.signal(signal.SIGCONT)
            time.sleep(random.random())
            if node.process.poll() is not None:
                raise Failed(f"{node.name} ended")
        while time.monotonic() - begun < busy_s:
            time.sleep(0.2)
    time.sleep(2)  # a suspicion that still runs ends within that
    blamed = crowd.deaths_since(mark)
    check(not blamed, f"nobody crashed: {blamed}")
    crowd.wait_whole()
    print(f"stopped for 1 s, {nodes} nodes, {times} times, every core busy for "
          f"{time.monotonic() - begun:.0f} s: no death")
