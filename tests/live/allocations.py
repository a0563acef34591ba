"""The path of a request allocates nothing: counted in the caller's node and in the handler's."""

import json
import os
import struct
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, check, run_tests  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
WARM, COUNTED = 20000, 40000  # requests: until every queue and table is as large as it gets; then


class Count:
    """What one node's processes allocated so far: its own code, libraries."""

    def __init__(self, mesh, library, name):
        self.path = os.path.join(mesh.folder, name + ".allocations")
        with open(self.path, "wb") as file:
            file.write(bytes(16))
        self.environment = {**os.environ, "LD_PRELOAD": library, "WEFT_ALLOCATIONS": self.path}

    def read(self):
        with open(self.path, "rb") as file:
            return struct.unpack("<QQ", file.read(16))


def preload(mesh):
    library = os.path.join(mesh.folder, "allocations.so")
    subprocess.run(["cc", "-O2", "-shared", "-fPIC", "-D_GNU_SOURCE", "-fno-builtin", "-o", library,
                    os.path.join(HERE, "_allocations.c")], check=True)
    return library


def requests(servers, number):
    """So many, by one caller that keeps its session all the while: the counts before and after."""
    return [os.path.join(BIN, "weftbench"), "req", "-s", servers, "-c", "1", "-P", "64", "-z", "64",
            "-n", str(number), "--warmup", "0ms", "--route", "remote", "--json", "-"]


def no_request_allocates_on_its_nodes(mesh):
    library = preload(mesh)
    counts = [Count(mesh, library, name) for name in "ab"]
    a = mesh.start("a", env=counts[0].environment)
    b = mesh.start("b", seeds=[a], env=counts[1].environment)
    mesh.wait_agreed(a, b)
    check(all(own > 0 and others > 0 for own, others in map(Count.read, counts)),
          f"allocations are seen at all: {[count.read() for count in counts]}")
    servers = f"{a.clients},{b.clients}"

    def run(number):
        """What the nodes allocated from before to after a run of so many requests."""
        before = [count.read() for count in counts]
        done = subprocess.run(requests(servers, number), stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=120, check=True)
        frames = json.loads(done.stdout)["cost"]["frames"]
        after = [count.read() for count in counts]
        return [[now - then for now, then in zip(*pair)] for pair in zip(after, before)], frames

    run(WARM)
    few, few_frames = run(WARM)
    many, many_frames = run(WARM + COUNTED)
    for name, less, more in zip("ab", few, many):
        print(f"  {name}: {WARM} requests, {few_frames}: weft {less[0]}, libraries {less[1]}; "
              f"{WARM + COUNTED} requests, {many_frames}: weft {more[0]}, libraries {more[1]}")
        check(more[0] - less[0] < COUNTED / 1000,
              f"{COUNTED} more requests cost {more[0] - less[0]} more allocations on {name}")


run_tests([no_request_allocates_on_its_nodes])
