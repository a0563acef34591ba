"""weftbench itself: what it counts is what happened, and what it can't do it says."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _directory import Holders  # noqa: E402
from _mesh import BIN, check, run_tests  # noqa: E402


def bench(*words, code=0):
    """Runs it to its end; its JSON, or what it said on standard error."""
    line = [os.path.join(BIN, "weftbench"), *words, "--json", "-"]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, check=False)
    check(done.returncode == code, f"{' '.join(line)} exits {code}, not {done.returncode}:\n"
          f"{done.stdout}{done.stderr}")
    return json.loads(done.stdout) if done.stdout else done.stderr


def sessions_are_opened_on_nodes_of_its_own(_):
    report = bench("conn", "--spawn", "2", "-c", "60", "--procs", "2", "-r", "300", "--seed", "7")
    check(report["sessions"]["opened"] == 60 and report["verdict"] == "PASS", f"all: {report}")
    check(report["sessions"]["nodes"] == {"bench-1": 30, "bench-2": 30}, "on both alike")
    check(report["latency_us"]["count"] == 60 and report["latency_us"]["from"] == "schedule",
          "each is timed, from when it was due")
    check(report["settings"]["seed"] == "7" and report["settings"]["loop"] == "open" and
          report["sent"] == 60, "the report says what was asked")
    check(all(node["full_bytes"] > node["empty_bytes"] > 0 for node in report["memory"]),
          f"a session weighs something: {report['memory']}")


def what_a_node_refuses_is_counted_by_reason(mesh):
    a = mesh.start("a", "--set", "sessions.max=10")
    mesh.wait_ready(a)
    report = bench("conn", "-s", a.clients, "-c", "14", "-d", "1s", code=1)
    sessions = report["sessions"]
    check(sessions["opened"] == 10 and sessions["refused"].get("LIMIT_REACHED", 0) >= 4 and
          report["verdict"] == "FAIL", f"ten stand, four are refused: {sessions}")


def the_oldest_session_makes_room_for_the_next(mesh):
    a = mesh.start("a", "--set", "sessions.max=12")
    mesh.wait_ready(a)
    sessions = bench("conn", "-s", a.clients, "-c", "8", "-n", "40")["sessions"]
    check(sessions["opened"] == 40 and sessions["standing"] == 8 and sessions["made_room"] == 32,
          f"never more than eight and those that leave: {sessions}")


def sessions_that_lose_their_node_are_counted_or_go_on_elsewhere(mesh):
    a, b, c = mesh.trio()
    staying = Holders(mesh, [b, c], 10)
    moving = Holders(mesh, [b, c], 10, "--reconnect")
    b.kill()
    mesh.wait_members(a, {"a": "alive", "b": "dead", "c": "alive"})
    check(moving.wait(lambda s: s["sessions"] >= 16, a), "five lost, ten and one more stand")
    lost, moved = staying.finish()["sessions"], moving.finish()["sessions"]
    check(lost["standing"] == 5 and lost["closed"] == {"connection_lost": 5}, f"counted: {lost}")
    check(moved["standing"] == 10 and moved["reopened"] == 5 and not moved["closed"],
          f"elsewhere: {moved}")


def what_can_not_be_is_said(_):
    for words, says in (
            (("conn", "-c", "4001"), "4001 of them need --procs 2"),
            (("conn", "--spawn", "2", "-s", ":7310"), "give one of the two"),
            (("conn", "--prop", "tier"), "KEY=VALUE, not 'tier'"),
            (("conn", "-c", "many"), "not 'many'"),
            (("fly",), "'fly' is not known"),
            (("cmd",), "which command?"),
            (("cmd", "close", "-c", "4000"), "8000 of them need --procs 2"),
            (("cmd", "open"), "'open' is not known here")):
        told = bench(*words, code=2)
        check(says in told, f"{words} are told {says!r}: {told}")
    report = bench("conn", "-s", "127.0.0.1:1", "-c", "2", "-d", "500ms", code=1)
    check(report["sessions"]["opened"] == 0 and report["sessions"]["unanswered"] >= 2,
          f"nobody answers there: {report['sessions']}")


run_tests([sessions_are_opened_on_nodes_of_its_own, what_a_node_refuses_is_counted_by_reason,
           the_oldest_session_makes_room_for_the_next,
           sessions_that_lose_their_node_are_counted_or_go_on_elsewhere, what_can_not_be_is_said])
