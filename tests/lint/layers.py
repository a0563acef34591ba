"""Who may include whom, on the text of the sources.

proto stands on ISO C alone; mesh on ISO C, proto and (one file) PCRE2; keys, which daemon and
clients share, on proto and libzmq; the daemon sees of the mesh its door. Inside the mesh: mesh.c
-> rooms -> log -> base, and no arrow up. Includes are rooted, circles are refused, and a source
begins with its own header.
"""

import pathlib
import re

from common import PUBLIC_HEADERS, ROOMS, Finding, main, read, sources

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

ISO_C = {f"{name}.h" for name in (
    "float inttypes iso646 limits stdalign stdarg stdbool stddef stdint stdlib stdnoreturn "
    "string").split()}

# Inside the mesh: what each room may use beside itself and proto.
MESH_ROOMS = {
    "base": set(),
    "log": {"base"},
    "filter": {"base"},
    "membership": {"base"},
    "ownership": {"base", "log"},
    "sessions": {"base", "filter"},
    "routing": {"base", "filter", "sessions", "ownership", "topics"},
    "topics": {"base", "log", "sessions"},
}
DOOR = "mesh/mesh.h"
PATTERNS = "mesh/filter/patterns.c"  # the one file that knows PCRE2
BUCKETS = "mesh/base/loglinear.h"  # for weftbench too: both count in the same buckets
PASSWORDS = "client/ctl/passwd.c"  # the one file of weftctl that hashes
FILTER = "mesh/filter/filter.h"  # for weftctl too: it judges filters without a node

PROGRAM_HEADERS_REFUSED = {
    "proto": None,  # ISO C only
    "mesh": None,
    "keys": ("czmq.h", "pcre2.h", "sodium.h", "cjson/", "libsmartcols/", "argp.h"),
    "daemon": ("weft.h", "pcre2.h", "libsmartcols/"),
    "client": ("czmq.h", "pcre2.h", "sodium.h", "cjson/", "cJSON.h", "libsmartcols/", "argp.h"),
    "client/ctl": ("czmq.h", "pcre2.h", "sodium.h", "zmq.h"),
    "bench": ("czmq.h", "pcre2.h", "sodium.h", "libsmartcols/"),
}


def room_of(path):
    """proto, daemon, client, client/ctl, bench, ..; inside the mesh: mesh or mesh/ROOM."""
    parts = path.split("/")
    if parts[0] in ("mesh", "client", "tests") and len(parts) > 2:
        return "/".join(parts[:2])
    return parts[0]


def is_vocabulary(root, path):
    """The words of the door (config, counters, orders): headers in mesh/ itself, the door apart,
    that stand on proto and on each other only. Every room and the daemon may speak them."""
    if room_of(path) != "mesh" or path == DOOR or not path.endswith(".h"):
        return False
    targets = [target for kind, target in INCLUDE.findall(read(root, path)) if kind == '"']
    return all(target.startswith("proto/") or (target != path and (root / target).exists()
                                               and is_vocabulary(root, target))
               for target in targets)


def is_door(root, path):
    return path == DOOR or is_vocabulary(root, path)


def system_refused(path, header):
    room = room_of(path)
    if room == "proto" or room.startswith("mesh"):
        if header == "pcre2.h" and path == PATTERNS:
            return None
        if header == "stdlib.h" and room != "mesh/base":
            return "<stdlib.h> is for mesh/base: memory and abort() come from there"
        if header == "stdio.h" and path == "mesh/base/require.c":
            return None  # it says why the process stops
        return None if header in ISO_C else f"<{header}> is not among the pure headers of ISO C"
    if header == "sodium.h" and path == PASSWORDS:
        return None
    for refused in PROGRAM_HEADERS_REFUSED.get(room, ()):
        if header.startswith(refused):
            return f"<{header}> is not for {room}"
    return None


def mesh_refused(root, room, target):
    """The reason why a file of mesh/ROOM may not include the target, a file of the mesh."""
    own = room.split("/")[1]
    if is_vocabulary(root, target):
        return None
    if room_of(target) == "mesh":
        return f"mesh/{own} may not include {target}: that points up"
    used = room_of(target).split("/")[1]
    if used == own or used in MESH_ROOMS.get(own, set()):
        return None
    return f"mesh/{own} may not include mesh/{used}"


def ours_refused(root, path, target):
    """The reason why path may not include the target, both of this repository; or None."""
    room, top = room_of(path), target.split("/")[0]
    if room == "proto":
        allowed = top == "proto"
    elif room == "keys":
        allowed = top in ("proto", "keys")
    elif room == "mesh":
        allowed = top in ("proto", "mesh")
    elif room.startswith("mesh/"):
        if top == "mesh":
            return mesh_refused(root, room, target)
        allowed = top == "proto"
    elif room == "daemon":
        allowed = top in ("proto", "keys", "daemon") or is_door(root, target)
    elif room == "client":
        allowed = top in ("proto", "keys") or room_of(target) == "client"
    elif room == "client/ctl":
        allowed = top in ("proto", "keys", "client") or target == FILTER
    elif room == "bench":
        allowed = top == "bench" or target in (*PUBLIC_HEADERS, BUCKETS)
    elif room == "examples":
        allowed = False
    elif room == "tests/sim":
        allowed = (top == "proto" or is_door(root, target)
                   or room_of(target) in ("tests/sim", "mesh/base")
                   or (path == "tests/sim/core.c"  # nodes that are membership alone
                       and target in ("mesh/membership/membership.h",
                                      "mesh/membership/descriptors.h")))
    else:
        allowed = True
    return None if allowed else f"{room} may not include {target}"


def own_header_first(root, path, first):
    header = path[:-2] + ".h"
    if path.endswith(".c") and (root / header).exists() and first != header:
        return Finding(path, 1, f'the first include must be its own header, "{header}"')
    return None


def check_file(root, path, graph):
    text = read(root, path)
    first = None
    for match in INCLUDE.finditer(text):
        line = text.count("\n", 0, match.start()) + 1
        is_system, target = match.group(1) == "<", match.group(2)
        first = first or target
        if is_system:
            reason = system_refused(path, target)
        elif target == "weft_commit.h" and path == "tests/sim/main.c":
            continue  # made by the build: the commit that a replay line names
        elif target == "weft.h" and path in PUBLIC_HEADERS:
            continue  # all are installed: they find each other where they lie
        elif target.split("/")[0] not in ROOMS or "/" not in target:
            reason = f'"{target}" is not rooted at the top of the repository'
        elif ".." in target or not (root / target).exists():
            reason = f'"{target}" does not exist'
        else:
            graph.setdefault(path, []).append((target, line))
            reason = ours_refused(root, path, target)
        if reason:
            yield Finding(path, line, reason)
    finding = own_header_first(root, path, first)
    if finding:
        yield finding


def circles(graph):
    """Each header that includes itself over others, once."""
    done, trail = set(), []

    def visit(path):
        if path in trail:
            circle = trail[trail.index(path):] + [path]
            yield Finding(trail[-1], 1, "includes in a circle: " + " -> ".join(circle))
        elif path not in done:
            trail.append(path)
            for target, _ in graph.get(path, ()):
                yield from visit(target)
            trail.pop()
            done.add(path)

    for path in sorted(graph):
        yield from visit(path)


def check(root: pathlib.Path):
    graph = {}
    for path in sources(root):
        yield from check_file(root, path, graph)
    yield from circles(graph)


if __name__ == "__main__":
    main(check)
