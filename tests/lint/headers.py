"""Every header compiles alone, and twice; the public one also as C++.

The core's headers are compiled without POSIX, as the core is.
"""

import concurrent.futures
import os
import pathlib
import shutil
import subprocess

from common import PUBLIC_HEADERS, Finding, main, sources

PACKAGES = "libzmq libczmq libcjson libsodium libpcre2-8 smartcols"
FLAGS = ["-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Wstrict-prototypes", "-Wundef",
         "-Werror"]


def compile_header(root, path, command):
    text = f'#include "{path}"\n#include "{path}"\n'
    done = subprocess.run(command + ["-I", str(root), "-"], input=text, capture_output=True,
                          text=True, check=False, cwd=root)
    if done.returncode == 0:
        return None
    lines = [line for line in done.stderr.splitlines() if "error" in line or "warning" in line]
    return Finding(path, 1, "does not compile alone and twice: " + (lines or ["?"])[0])


def check(root: pathlib.Path):
    cc = os.environ.get("CC", "cc")
    try:
        packages = subprocess.run(["pkg-config", "--cflags", *PACKAGES.split()], check=True,
                                  capture_output=True, text=True).stdout.split()
    except (OSError, subprocess.CalledProcessError):
        packages = []
    packages = ["-isystem" + flag[2:] if flag.startswith("-I") else flag for flag in packages]
    jobs = []
    for path in sources(root):
        if not path.endswith(".h"):
            continue
        command = [cc, "-std=c17", "-x", "c", *FLAGS]
        if path.split("/")[0] not in ("proto", "mesh"):
            command.append("-D_GNU_SOURCE=")
        jobs.append((path, command + packages))
        if path in PUBLIC_HEADERS and shutil.which("c++"):
            flags = [flag for flag in FLAGS if flag != "-Wstrict-prototypes"]
            jobs.append((path, ["c++", "-x", "c++", "-std=c++11", *flags]))
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        for finding in pool.map(lambda job: compile_header(root, *job), jobs):
            if finding:
                yield finding


if __name__ == "__main__":
    main(check)
