"""In proto, only the reader and the writer reckon with pointers; the codecs stand on them.

A check on the text: a cast to a pointer, and arithmetic with anything declared as a pointer to
bytes (or indexing it). Pointers to structs may be indexed: they are arrays of decoded things.
"""

import pathlib
import re

from common import Finding, code_only, line_of, main, read, sources

# Beside the two: span.h, which makes spans.
EXEMPT = re.compile(r"proto/((reader|writer)\w*\.[ch]|span\.h)$")
TYPE = (r"(?:(?:const|volatile|unsigned|signed)\s+)*"
        r"(?:struct\s+\w+|union\s+\w+|enum\s+\w+|\w+)")
CAST = re.compile(r"(?<!sizeof)(?<!\w)\(\s*" + TYPE
                  + r"\s*(?:const\s*)?\*[\s*]*\)\s*(?!NULL\b)[\w&(*]")
BYTE_POINTER = re.compile(
    r"\b(?:u?int8_t|char|void)\s*(?:const\s*)?\*+\s*(?:const\s+|restrict\s+)*(\w+)\s*[;,=)]")
ANY_POINTER = re.compile(
    r"\b(?:u?int\d+_t|char|void|struct\s+\w+)\s*(?:const\s*)?\*+"
    r"\s*(?:const\s+|restrict\s+)*(\w+)\s*[;,=)]")


def arithmetic(names):
    name = r"(?<![\w.>])(" + "|".join(sorted(names)) + r")"
    return re.compile(name + r"\s*(\+\+|--|\+=|-=|\+(?!\+)|-(?![->]))|(?:\+\+|--)" + name + r"\b")


def check(root: pathlib.Path):
    for path in sources(root, "proto"):
        if EXEMPT.match(path):
            continue
        code = code_only(read(root, path))
        for match in CAST.finditer(code):
            yield Finding(path, line_of(code, match.start()),
                          "a cast to a pointer: only reader and writer do that")
        pointers = set(ANY_POINTER.findall(code))
        if pointers:
            for match in arithmetic(pointers).finditer(code):
                yield Finding(path, line_of(code, match.start()),
                              f"arithmetic with the pointer {match.group(1) or match.group(3)}")
        for name in sorted(set(BYTE_POINTER.findall(code))):
            for match in re.finditer(r"(?<![\w.>])" + name + r"\s*\[", code):
                yield Finding(path, line_of(code, match.start()), f"indexes the bytes at {name}")


if __name__ == "__main__":
    main(check)
