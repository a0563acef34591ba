"""What the documents promise: a README in each folder, links that lead somewhere inside the
repository, nothing left to do written into the text, no dead header, unit tests that mirror the
sources.
"""

import pathlib
import re

from common import Finding, files, line_of, main, read, sources

TOP = ("proto", "keys", "mesh", "daemon", "client", "bench", "examples", "tests")
TEXTS = (".md", ".c", ".h", ".py", ".sh", ".cmake", "CMakeLists.txt", ".json", ".in", ".ci/run")
LEFT_TO_DO = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"))
                        + r")\b")
OUTSIDE = re.compile(r"(?<![\w.])(/home/\w+|/root/|/work/|(?:\.\./)+shared\b)")
DOCUMENT = re.compile(r"(?<![\w/.-])([A-Z][A-Z_]{3,}\.md)\b")
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")
INCLUDE = re.compile(r'#\s*include\s*"([^"]+)"')


def readmes(root):
    folders = [name for name in TOP if (root / name).is_dir()]
    mesh = root / "mesh"
    if mesh.is_dir():
        folders += sorted(f"mesh/{entry.name}" for entry in mesh.iterdir()
                          if entry.is_dir() and any(entry.glob("*.[ch]")))
    for folder in folders:
        if not (root / folder / "README.md").exists():
            yield Finding(f"{folder}/README.md", 1, "is missing: each folder says what it is")


def words(root):
    known = {pathlib.PurePath(path).name for path in files(root, ".md")}
    for path in files(root, *TEXTS):
        text = read(root, path)
        if path.startswith("tests/lint/"):
            continue  # these files name what they look for
        for match in LEFT_TO_DO.finditer(text):
            yield Finding(path, line_of(text, match.start()), f"{match.group(1)}: do it, or don't")
        for match in OUTSIDE.finditer(text):
            yield Finding(path, line_of(text, match.start()),
                          f"{match.group(1)} lies outside the repository")
        for match in DOCUMENT.finditer(text):
            if match.group(1) not in known:
                yield Finding(path, line_of(text, match.start()),
                              f"{match.group(1)} is no document of this repository")


def links(root):
    for path in files(root, ".md"):
        text = read(root, path)
        for match in LINK.finditer(text):
            target = match.group(1)
            if re.match(r"[a-z]+:", target):
                continue
            place = (root / path).parent / target
            if not place.exists() or not place.resolve().is_relative_to(root):
                yield Finding(path, line_of(text, match.start()), f"the link to {target} is dead")


def dead_headers(root):
    included = {"client/weft.h"}
    for path in sources(root):
        included.update(target for target in INCLUDE.findall(read(root, path))
                        if target != path)
    for path in sources(root, "proto", "mesh", "daemon", "client", "bench"):
        if path.endswith(".h") and path not in included:
            yield Finding(path, 1, "nobody includes this header")


def mirror(root):
    """tests/unit/A/B/test_noun_more.c stands for A/B/noun.c (or .h, .json), or the folder B."""
    for path in files(root, ".c"):
        parts = path.split("/")
        if parts[:2] != ["tests", "unit"] or not parts[-1].startswith("test_"):
            continue
        name = parts[-1][len("test_"):-len(".c")]
        folder = root.joinpath(*parts[2:-1])
        stems = {entry.stem for entry in folder.glob("*")} if folder.is_dir() else set()
        stems.add(parts[-2])
        if not any(name == stem or name.startswith(stem + "_") for stem in stems):
            yield Finding(path, 1, f"mirrors no source: no {'/'.join(parts[2:-1])}/{name}.c")


def check(root: pathlib.Path):
    for part in (readmes, words, links, dead_headers, mirror):
        yield from part(root)


if __name__ == "__main__":
    main(check)
