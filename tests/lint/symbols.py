"""Who may call whom, on the undefined symbols of the object files: what the text can hide.

proto and mesh call a short list of pure functions of libc, memory only in mesh/base, PCRE2 only in
the filters; require.c alone may write, to say why the process stops. A symbol of a room is used
only where its header may be included. proto and mesh hold no writable data: several cores live in
one process. The functions that foo.c exports are foo_...
"""

import pathlib
import re
import subprocess

from common import Finding, main
from layers import DOOR, PATTERNS, ours_refused, room_of

PURE = set("memcpy memset memcmp memmove memchr strlen strcmp strncmp strnlen strchr bcmp "
           "abort".split())
LAST_WORDS = {"mesh/base/require.c": {"stderr", "fputs", "fputc", "fwrite", "fprintf"}}
MEMORY = {"malloc", "calloc", "realloc", "free", "aligned_alloc"}
COMPILER = re.compile(r"(__asan|__odr_asan|__ubsan|__tsan|__lsan|__msan|__sanitizer|__sancov|"
                      r"__start___sancov|__stop___sancov|__gcov|__llvm|__stack_chk_fail$|"
                      r"_GLOBAL_OFFSET_TABLE_$|__tls_get_addr$)")
SECOND_NOUNS = {  # files that hold two nouns of the wire because one makes no sense alone
    "proto/envelope.c": ("message", "mesh_name"),
    "proto/error.c": ("close_reason",),
    "proto/schema.c": ("group",),
}
LIBRARIES = ("weft_proto", "weft_keys", "weft_mesh", "weft_daemon", "weft_client")
LINKED = {  # whose objects end up in one program with a folder's: names may repeat elsewhere
    "proto": ("proto",), "keys": ("proto", "keys"), "mesh": ("proto", "mesh"),
    "daemon": ("proto", "keys", "mesh", "daemon"), "client": ("proto", "keys", "client"),
}
CORE = ("proto", "mesh")


def objects(build):
    """(source, object) of everything that the rooms' libraries are made of."""
    for library in LIBRARIES:
        base = build / "CMakeFiles" / f"{library}_objects.dir"
        for path in sorted(base.rglob("*.o")):
            yield path.relative_to(base).as_posix()[:-len(".o")], path


def symbols(paths):
    """{object: {name: kind}}, global names only; kind U, w: undefined, T: a function, ..."""
    found = {path: {} for path in paths}
    if not found:
        return found
    out = subprocess.run(["nm", "-A", "-P", "-g", *map(str, paths)], check=True,
                         capture_output=True, text=True).stdout
    for line in out.splitlines():
        path, rest = line.split(": ", 1)
        name, kind = rest.split()[:2]
        found[pathlib.Path(path)][name] = kind
    return found


def undefined(kinds):
    return sorted(name for name, kind in kinds.items() if kind in "Uwv")


def writable_bytes(paths):
    """{object: bytes of data that can be written}."""
    if not paths:
        return {}
    out = subprocess.run(["size", "-A", *map(str, paths)], check=True, capture_output=True,
                         text=True).stdout
    found, current = {}, None
    for line in out.splitlines():
        words = line.split()
        if line.endswith(":") and "  :" in line:
            current = pathlib.Path(line.split("  :")[0])
            found[current] = 0
        elif len(words) == 3 and re.match(r"\.(data|bss|tdata|tbss)\b(?!\.rel\.ro)", words[0]):
            found[current] += int(words[1])
    return found


def libc_refused(source, name):
    """The reason why the source may not use a symbol that nobody of ours defines; or None."""
    plain = re.sub(r"^__(\w+)_chk$", r"\1", name)
    if COMPILER.match(name) or plain in PURE or plain in LAST_WORDS.get(source, ()):
        return None
    if plain in MEMORY:
        if room_of(source) == "mesh/base":
            return None
        return f"calls {plain}(): memory comes from mesh/base"
    if name.startswith("pcre2_"):
        return None if source == PATTERNS else f"calls {name}(): PCRE2 is for the filters"
    return f"uses {name}, which is not among the pure functions of libc"


def check_names(source, kinds):
    stem = pathlib.PurePath(source).stem
    one = re.sub(r"ies$", "y", stem) if stem.endswith("ies") else stem.removesuffix("s")
    stems = (stem, one, "weft", *SECOND_NOUNS.get(source, ()))
    if room_of(source) == "mesh":
        stems += (f"mesh_{stem}",)
    for name, kind in sorted(kinds.items()):
        if kind != "T" or COMPILER.match(name) or name in stems:
            continue
        if not name.startswith(tuple(noun + "_" for noun in stems)):
            yield Finding(source, 1, f"exports {name}(); what {stem}.c exports is {stem}_...")


def header_of(root, source):
    header = source[:-2] + ".h"
    if room_of(source) == "mesh" and not (root / header).exists():
        return DOOR
    return header


def check_uses(root, source, kinds, owners):
    for name in undefined(kinds):
        linked = LINKED[source.split("/")[0]]
        owner = next((path for path in owners.get(name, ()) if path.split("/")[0] in linked), None)
        if owner is None:
            reason = libc_refused(source, name) if source.split("/")[0] in CORE else None
        elif owner == source:
            reason = None
        else:
            reason = ours_refused(root, source, header_of(root, owner))
            reason = reason and f"uses {name} of {owner}: {reason}"
        if reason:
            yield Finding(source, 1, reason)


def check(root: pathlib.Path, build: pathlib.Path):
    pairs = [(source, path) for source, path in objects(build) if (root / source).exists()]
    if not pairs:
        yield Finding(str(build), 1, "holds no objects of ours: build first")
    table = symbols([path for _, path in pairs])
    sizes = writable_bytes([path for source, path in pairs if source.split("/")[0] in CORE])
    owners = {}
    for source, path in pairs:
        for name, kind in table[path].items():
            if kind not in "Uwv":
                owners.setdefault(name, []).append(source)
    for source, path in pairs:
        yield from check_uses(root, source, table[path], owners)
        yield from check_names(source, table[path])
        instrumented = any(re.match("__(asan|ubsan|tsan|sanitizer)", name)
                           for name in table[path])
        if sizes.get(path, 0) > 0 and not instrumented:
            yield Finding(source, 1, f"{sizes[path]} bytes of writable data: state hides there")


if __name__ == "__main__":
    main(check, build="the build's folder")
