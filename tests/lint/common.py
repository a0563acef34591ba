"""What the lints share: finding the files, blanking comments and strings, reporting.

A lint is a module with check(root), which yields findings. Run as a program it judges the
repository; planted.py runs it on small trees with a violation in each.
"""

import argparse
import os
import pathlib
import re
import sys
from typing import Iterator, NamedTuple

ROOMS = ("proto", "keys", "mesh", "daemon", "client", "bench", "examples", "tests")

# What is installed for programs to include.
PUBLIC_HEADERS = ("client/weft.h", "client/weft_auth.h", "client/weft_control.h",
                  "client/weft_events.h", "client/weft_requests.h", "client/weft_topics.h")


class Finding(NamedTuple):
    path: str
    line: int
    text: str

    def __str__(self):
        return f"{self.path}:{self.line}: {self.text}"


def files(root: pathlib.Path, *endings: str) -> Iterator[str]:
    """All files of the repository with one of the endings, as paths from the root, in order."""
    for folder, folders, names in os.walk(root):
        at_root = pathlib.Path(folder) == root
        folders[:] = sorted(
            name for name in folders
            if name not in (".git", ".cache", "__pycache__") and not (at_root and name == "build"))
        for name in sorted(names):
            if name.endswith(endings):
                yield (pathlib.Path(folder) / name).relative_to(root).as_posix()


def sources(root: pathlib.Path, *rooms: str) -> Iterator[str]:
    """The C sources and headers of the rooms named, or of all of them."""
    for path in files(root, ".c", ".h"):
        if path.split("/")[0] in (rooms or ROOMS):
            yield path


def read(root: pathlib.Path, path: str) -> str:
    return (root / path).read_text(encoding="utf-8")


TOKEN = re.compile(
    r"//[^\n]*|/\*.*?\*/|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'", re.DOTALL)


def code_only(text: str) -> str:
    """The text with comments and the insides of strings blanked, line by line in place."""

    def blank(match):
        token = match.group(0)
        if token[0] in "\"'":
            return token[0] + " " * (len(token) - 2) + token[-1]
        return re.sub(r"[^\n]", " ", token)

    return TOKEN.sub(blank, text)


def line_of(text: str, offset: int) -> int:
    return text.count("\n", 0, offset) + 1


def main(check, **options):
    """Runs a lint as a program: --root, and what else the lint's check() takes."""
    parser = argparse.ArgumentParser()
    here = pathlib.Path(__file__).resolve().parents[2]
    parser.add_argument("--root", type=pathlib.Path, default=here)
    for name, help_text in options.items():
        parser.add_argument(f"--{name}", type=pathlib.Path, required=True, help=help_text)
    arguments = vars(parser.parse_args())
    arguments["root"] = arguments["root"].resolve()
    findings = list(check(**arguments))
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    sys.exit(1 if findings else 0)
