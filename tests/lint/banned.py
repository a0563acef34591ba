"""Calls and constructs that are not used: unbounded copies, locale-bound parsing, hidden state.

In the core (proto and mesh) also everything that reads the world: time and chance come in with
the inputs.
"""

import pathlib
import re

from common import Finding, code_only, line_of, main, read, sources

EVERYWHERE = ("strcpy strcat stpcpy sprintf vsprintf gets atoi atol atoll atof strtok rand srand "
              "random srandom alloca tmpnam mktemp "
              "thrd_create").split()  # TSan cannot see C11 threads: pthread_create
IN_THE_CORE = ("time clock_gettime gettimeofday clock getenv getrandom arc4random printf fprintf "
               "snprintf vsnprintf puts fopen open socket assert exit qsort").split()
CALL = re.compile(r"(?<![\w.>])(" + "|".join(EVERYWHERE) + r")\s*\(")
CORE_CALL = re.compile(r"(?<![\w.>])(" + "|".join(IN_THE_CORE) + r")\s*\(")
TYPEDEF = re.compile(r"\btypedef\s+(struct|union|enum)\b")


def check(root: pathlib.Path):
    for path in sources(root):
        code = code_only(read(root, path))
        for match in CALL.finditer(code):
            yield Finding(path, line_of(code, match.start()), f"{match.group(1)}() is banned")
        for match in TYPEDEF.finditer(code):
            yield Finding(path, line_of(code, match.start()),
                          f"no typedef of a {match.group(1)}: it keeps its name in full")
        if path.split("/")[0] in ("proto", "mesh"):
            if path == "mesh/base/require.c":
                continue  # it says why the process stops
            for match in CORE_CALL.finditer(code):
                yield Finding(path, line_of(code, match.start()),
                              f"{match.group(1)}() has no place in the core")


if __name__ == "__main__":
    main(check)
