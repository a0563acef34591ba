"""_arena.py - the place where weft and its peers are measured: a network and process namespace of
its own, so that nothing else is on its loopback interface and whatever was started ends with it."""

import os
import subprocess
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
INSIDE = "WEFT_BENCH_NAMESPACE"


def install(*packages):
    """Debian's packages, where they are missing."""
    script = '. "$1/examples/packages.sh" && shift && install_packages "$@"'
    if subprocess.run(["sh", "-c", script, "sh", ROOT, *packages], stdout=sys.stderr,
                      check=False).returncode:
        sys.exit(f"Debian's packages are needed: apt-get install {' '.join(packages)}")


def enter(*packages):
    """Installs what is needed, then runs the script again in a namespace of its own; returns only
    there."""
    if os.environ.get(INSIDE):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        return
    install(*packages)
    os.environ[INSIDE] = "yes"
    line = ["unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc"]
    if os.geteuid() != 0:
        line.append("--map-root-user")
    os.execvp("unshare", line + [sys.executable, os.path.abspath(sys.argv[0])] + sys.argv[1:])
