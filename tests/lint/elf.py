"""What a release program must be: PIE, full RELRO, stack canaries, no executable stack, no RPATH.

Read from the ELF files themselves, because a flag in a build file is only a wish.
"""

import pathlib
import subprocess

from common import Finding, main


def readelf(path, *options):
    return subprocess.run(["readelf", "-W", *options, str(path)], check=True,
                          capture_output=True, text=True).stdout


def check_file(name, path):
    header, segments = readelf(path, "-h"), readelf(path, "-l")
    dynamic, names = readelf(path, "-d"), readelf(path, "-s")
    is_program = "INTERP" in segments
    stack = next((line for line in segments.splitlines() if "GNU_STACK" in line), "")
    if "Type:" not in header or "DYN" not in header.split("Type:")[1].split("\n")[0]:
        yield Finding(name, 1, "is not position-independent")
    if "GNU_RELRO" not in segments or not ("BIND_NOW" in dynamic or "NOW" in dynamic):
        yield Finding(name, 1, "has no full RELRO")
    if not stack or "RWE" in stack:
        yield Finding(name, 1, "has an executable stack")
    if "RPATH" in dynamic or "RUNPATH" in dynamic:
        yield Finding(name, 1, "has an RPATH")
    if "__stack_chk_fail" not in names:
        yield Finding(name, 1, "has no stack canaries")
    if is_program and "PIE" not in dynamic:
        yield Finding(name, 1, "is not a PIE")


def check(root: pathlib.Path, build: pathlib.Path):
    del root
    found = [build / "bin" / name for name in ("weftd", "weftctl", "weftbench", "weftsim")]
    found = [path for path in found if path.exists()] + sorted((build / "lib").glob("*.so.*.*.*"))
    if not found:
        yield Finding(str(build), 1, "holds no program of ours: build first")
    for path in found:
        yield from check_file(path.name, path)


if __name__ == "__main__":
    main(check, build="the build's folder")
