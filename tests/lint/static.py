"""Format and static analysis: clang-format, clang-tidy and cppcheck over the sources of a build.

static.py format|tidy|analyzer|cppcheck --build FOLDER judges what compile_commands.json lists
(format: all sources). The analyzer is clang-tidy's costly half: it follows paths, for minutes, so
it runs with the tests labelled long. static.py planted shows each tool a file with a fault and
insists that it is found.
"""

import argparse
import collections
import concurrent.futures
import json
import pathlib
import subprocess
import sys
import tempfile

from common import ROOMS, sources

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Tests are full of the framework's macros; the compilers' warnings are enough for them.
JUDGED = ("proto", "mesh", "daemon", "client", "bench", "examples", "tests/sim")
TIDY = ["clang-tidy", "--quiet", "--extra-arg=-Wno-unknown-warning-option",
        "--extra-arg=-Wno-ignored-optimization-argument"]
CPPCHECK = ["cppcheck", "--quiet", "--std=c11", "--enable=warning,performance,portability",
            "--inline-suppr", "--error-exitcode=1", "--suppress=missingIncludeSystem",
            "--suppress=normalCheckLevelMaxBranches",
            # Across files it does not see that require() ends the process.
            "--suppress=ctunullpointer", "-j2"]
CPPCHECK_TEMPLATE = "--template={file}:{line}: {severity}: {message} [{id}]"


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    return done.returncode, done.stdout + done.stderr


def listed(build):
    """The judged sources that the build compiles, once each, biggest first."""
    entries = json.loads((build / "compile_commands.json").read_text(encoding="utf-8"))
    found = set()
    for entry in entries:
        path = pathlib.Path(entry["file"])
        if path.is_relative_to(ROOT):
            name = path.relative_to(ROOT).as_posix()
            if name.startswith(tuple(folder + "/" for folder in JUDGED)):
                found.add(name)
    return sorted(found, key=lambda name: -(ROOT / name).stat().st_size)


def check_format(paths, build):
    del build
    code, output = run(["clang-format", "--dry-run", "-Werror", *paths])
    places = collections.Counter(line.split(":")[0] for line in output.splitlines()
                                 if "clang-format-violations" in line)
    told = [f"{path}: {count} places [clang-format-violations]: clang-format -i {path}"
            for path, count in sorted(places.items())]
    return [(code, "\n".join(told) or output)]


def check_analyzer(paths, build, *more):
    with concurrent.futures.ThreadPoolExecutor(max_workers=2) as pool:
        return list(pool.map(lambda path: run([*TIDY, *more, "-p", str(build), path]), paths))


def check_tidy(paths, build):
    return check_analyzer(paths, build, "--checks=-clang-analyzer-*")


def check_cppcheck(paths, build):
    cache = build / "cppcheck"
    cache.mkdir(exist_ok=True)
    return [run([*CPPCHECK, CPPCHECK_TEMPLATE, f"--cppcheck-build-dir={cache}", "-I", str(ROOT),
                 "-D__linux__", "-DWEFT_VERSION=\"0\"", *paths])]


CHECKS = {"format": check_format, "tidy": check_tidy, "analyzer": check_analyzer,
          "cppcheck": check_cppcheck}

PLANTED = {
    "format": ("int  f( void )\n{\nreturn 1; }\n", "clang-format-violations"),
    "tidy": ("int f(int a);\nint f(int a)\n{\n    return a == 0 ? 0 : f(a - 1);\n}\n",
             "misc-no-recursion"),
    "analyzer": ("int f(const int *a);\nint f(const int *a)\n{\n    const int *b = 0;\n"
                 "    return a[0] + b[0];\n}\n", "NullDereference"),
    "cppcheck": ("int f(void)\n{\n    int a[2] = {0, 1};\n    return a[2];\n}\n",
                 "arrayIndexOutOfBounds"),
}


def judge(results):
    failed = 0
    for code, output in results:
        if code != 0:
            failed += 1
            print("\n".join(line for line in output.splitlines()
                            if " warnings generated" not in line))
    return failed


def prove(build):
    """Each tool must find what is planted for it."""
    failed = 0
    for tool, (text, expected) in PLANTED.items():
        with tempfile.TemporaryDirectory(prefix="planted-", dir=build) as folder:
            path = pathlib.Path(folder) / "planted.c"
            path.write_text(text, encoding="utf-8")
            (path.parent / "compile_commands.json").write_text(json.dumps([{
                "directory": folder, "file": str(path), "command": f"cc -c {path}"}]))
            code, output = CHECKS[tool]([str(path)], path.parent)[0]
        if code == 0 or expected not in output:
            failed += 1
            print(f"{tool} did not find {expected}; it said: {output}")
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool", choices=[*CHECKS, "planted"])
    parser.add_argument("--build", type=pathlib.Path, required=True)
    arguments = parser.parse_args()
    build = arguments.build.resolve()
    if arguments.tool == "planted":
        sys.exit(1 if prove(build) else 0)
    paths = sorted(sources(ROOT, *ROOMS)) if arguments.tool == "format" else listed(build)
    failed = judge(CHECKS[arguments.tool](paths, build)) if paths else 0
    print(f"{arguments.tool}: {len(paths)} files, {failed} runs failed")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
