"""The limits of the house: a file 600 lines, a function 70, a line 100 columns, 4 levels deep.

Functions are found by the house's braces: a { alone in the first column opens one, a } there ends
it (the format check sees to it that this is so).
"""

import pathlib
import re

from common import Finding, code_only, files, main, read

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
COLUMNS_MAX = 100
NESTING_MAX = 4

ENDINGS = (".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt", ".supp", ".ci/run")
BLOCK = re.compile(r"(\)\s+|\belse\s+|\bdo\s+)$")

BEFORE = re.compile(r"^\s*$|^#|[;}:]\s*$")  # a line like this is no part of a signature


def functions(code):
    """(first line of the signature, first and last line of the body), counted from 0."""
    lines = code.split("\n")
    start = None
    for number, line in enumerate(lines):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            signature = start
            while signature > 0 and not BEFORE.search(lines[signature - 1]):
                signature -= 1
            yield signature, start, number
            start = None


def deepest(body):
    """The deepest nesting of blocks in a function's body; braces of values do not count."""
    depth, worst, worst_at, kinds = 0, 0, 0, []
    for offset, char in enumerate(body):
        if char == "{":
            is_block = bool(BLOCK.search(body[max(0, offset - 40):offset]))
            kinds.append(is_block)
            depth += is_block
            if depth > worst:
                worst, worst_at = depth, offset
        elif char == "}" and kinds:
            depth -= kinds.pop()
    return worst, body.count("\n", 0, worst_at)


def check_functions(path, code):
    lines = code.split("\n")
    for signature, start, end in functions(code):
        length = end - signature + 1
        if length > FUNCTION_LINES_MAX:
            yield Finding(path, signature + 1,
                          f"a function of {length} lines; the limit is {FUNCTION_LINES_MAX}")
        depth, line = deepest("\n".join(lines[start + 1:end]))
        if depth > NESTING_MAX:
            yield Finding(path, start + 2 + line,
                          f"nested {depth} deep; the limit is {NESTING_MAX}")


def check(root: pathlib.Path):
    for path in files(root, *ENDINGS):
        text = read(root, path)
        lines = text.split("\n")
        if len(lines) - 1 > FILE_LINES_MAX:
            yield Finding(path, FILE_LINES_MAX,
                          f"{len(lines) - 1} lines; the limit is {FILE_LINES_MAX}")
        for number, line in enumerate(lines, 1):
            if len(line) > COLUMNS_MAX:
                yield Finding(path, number, f"{len(line)} columns; the limit is {COLUMNS_MAX}")
        if path.endswith((".c", ".h")):
            yield from check_functions(path, code_only(text))


if __name__ == "__main__":
    main(check)
