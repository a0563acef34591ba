"""`weftctl filter`: what a node would make of a filter, without a node."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, check, run_tests  # noqa: E402

DATA = os.path.join(os.environ.get("WEFT_SOURCE", "."), "tests", "unit", "mesh", "filter")
SESSIONS = os.path.join(DATA, "sessions.jsonl")


def weftctl(*words, code=0, stdin=""):
    """Runs it without any server; returns (stdout, stderr)."""
    done = subprocess.run([os.path.join(BIN, "weftctl"), *words], input=stdin, text=True,
                          capture_output=True, timeout=60, check=False)
    check(done.returncode == code, f"{words} exits {code}, not {done.returncode}:\n"
          f"{done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def match(text, *words, code=0, stdin="", sessions=SESSIONS):
    return weftctl("filter", "match", text, "--sessions", sessions, *words, code=code, stdin=stdin)


def expect(actual, wanted):
    check(actual == wanted, f"{actual!r} should be {wanted!r}")


def check_prints_the_canonical_form(mesh):
    del mesh
    out, err = weftctl("filter", "check", "NOT (a EQ \"x\") AND (b In ['1','2'] or ALL)")
    expect((out, err), ("not a is 'x' and (b in ['1', '2'] or all)\n", ""))
    out, _ = weftctl("filter", "check", "HASROLES 'b' \"a\"", "-o", "json")
    expect(json.loads(out), {"canonical": "hasRoles ['b', 'a']"})
    out, _ = weftctl("filter", "check", "x is 'L\u00fctt\\'s'")
    expect(out, "x is 'L\u00fctt\\'s'\n")


def a_bad_filter_is_an_error_with_its_place(mesh):
    del mesh
    out, err = weftctl("filter", "check", "Tier is Gold", code=1)
    expect((out, err),
           ("", "weftctl: INVALID_FILTER: 1:9: expected a quoted string, found Gold\n"))
    out, _ = weftctl("filter", "check", "a matches '(' or\nb matches '[' and", "-o", "json", code=1)
    error = json.loads(out)["error"]
    expect(error["code"], "INVALID_FILTER")
    expect([(e["line"], e["column"]) for e in error["errors"]], [(1, 11), (2, 11), (2, 18)])
    check(error["errors"][0]["message"] in error["message"], "the first one is the message")
    _, err = match("", code=1)
    check("INVALID_FILTER: 1:1: " in err and "all means every session" in err, err)
    weftctl("filter", "check", code=2)
    weftctl("filter", "check", "all", "all", code=2)


def match_prints_ids_in_the_order_of_the_file(mesh):
    del mesh
    expect(match("has Location or $Principal is 'alice'")[0], "s1\ns2\ns5\n")
    out, _ = match("hasRoles 'admin','client'", "-o", "json")
    expect(json.loads(out), {"ids": ["s6", "s8"], "read": 8})
    with open(SESSIONS, encoding="utf-8") as file:
        backwards = "\n\n".join(reversed(file.read().splitlines()))
    expect(match("hasRoles 'admin','client'", stdin=backwards, sessions="-")[0], "s8\ns6\n")


def nothing_that_matches_is_exit_3(mesh):
    del mesh
    expect(match("has nothing", code=3), ("", ""))
    expect(json.loads(match("has nothing", "-o", "json", code=3)[0]), {"ids": [], "read": 8})
    expect(match("all", stdin="", sessions="-", code=3)[0], "")


def a_bad_line_is_exit_1_and_its_number(mesh):
    del mesh
    good = '{"$SessionId": "s1"}\n'
    key = "k" * 129
    many = json.dumps({"$SessionId": "s", **{f"k{i}": "" for i in range(129)}})
    for line, words in (("nonsense", "no JSON"), ("[1]", "no JSON object"), ("{}", "$SessionId"),
                        ('{"$SessionId": 7}', "$SessionId"), ('{"properties": {}}', '"id"'),
                        ('{"$SessionId": "s", "n": 1}', "string"),
                        ('{"$SessionId": "s", "a": "", "a": ""}', "twice"),
                        ('{"$SessionId": "s"} x', "behind"),
                        ('{"$SessionId": "s", "%s": ""}' % key, "128"), (many, "128"),
                        (json.dumps({"$SessionId": "s", "v": "x" * 4097}), "4096")):
        out, err = match("all", stdin=good + "\n" + line + "\n" + good, sessions="-", code=1)
        expect(out, "")
        check(err.startswith("weftctl: INVALID_ARGUMENT: standard input:3: ") and words in err,
              f"{line[:80]}: {err}")
    _, err = match("all", sessions="/nonexistent/file", code=1)
    check("/nonexistent/file: No such file" in err, err)
    _, err = weftctl("filter", "match", "all", code=2)
    check("--sessions" in err, err)


def a_pattern_that_takes_too_long_simply_does_not_match(mesh):
    del mesh
    line = json.dumps({"$SessionId": "s", "v": "a" * 40})
    expect(match("v matches '(a+)+[bc]'", stdin=line, sessions="-", code=3)[0], "")
    expect(match("not v matches '(a+)+[bc]'", stdin=line, sessions="-")[0], "s\n")


def the_output_of_session_ls_can_be_read(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    gold = mesh.ctl_stream(a, "--prop", "tier=gold", "session", "open")
    mesh.ctl_stream(a, "--prop", "tier=trial", "session", "open")
    for keys in ("*F,*U", "tier"):
        rows, _ = mesh.ctl(a, "-o", "jsonl", "session", "ls", "--keys", keys)
        expect(match("tier is 'gold'", stdin=rows, sessions="-")[0], gold.session + "\n")
        by_id = f"$SessionId is '{gold.session}'"
        expect(match(by_id, stdin=rows, sessions="-")[0], gold.session + "\n")


if __name__ == "__main__":
    run_tests([check_prints_the_canonical_form, a_bad_filter_is_an_error_with_its_place,
               match_prints_ids_in_the_order_of_the_file, nothing_that_matches_is_exit_3,
               a_bad_line_is_exit_1_and_its_number,
               a_pattern_that_takes_too_long_simply_does_not_match,
               the_output_of_session_ls_can_be_read])
