"""weftbench itself: what it counts is what happened, and what it can't do it says."""

import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _directory import Holders  # noqa: E402
from _mesh import BIN, check, run_tests, wait_until  # noqa: E402


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


def requests_cross_processes_and_nodes_and_are_checked(mesh):
    a, b, c = mesh.trio()
    servers = ",".join(node.clients for node in (a, b, c))
    before = mesh.counters(a)["requests_received"]
    report = bench("req", "-s", servers, "-c", "6", "-P", "4", "-n", "3000", "--procs", "4",
                   "--route", "remote", "--check", "--warmup", "100ms")
    check(report["outcomes"] == {"OK": report["sent"]} and report["sent"] >= 3000,
          f"one outcome each: {report['outcomes']}")
    check(set(report["checks"].values()) == {0} and report["verdict"] == "PASS",
          f"nothing lost, repeated, swapped or damaged: {report['checks']}")
    check(sum(report["spread"].values()) == report["sent"] and all(report["spread"].values()),
          f"every node's handlers had some: {report['spread']}")
    check(report["latency_us"]["count"] == report["sent"], "all processes' latencies in one table")
    check(mesh.counters(a)["requests_received"] - before >= 1000, "a third of them through a")
    cost = report["cost"]
    check(all(node["cpu_us_per_request"] > 0 for node in cost["nodes"]),
          f"nodes of this host are found by their ports: {cost}")
    check(cost["frames"]["peers"] > 0 and cost["messages_per_frame"]["peers"] >= 1,
          f"route remote crosses between nodes: {cost}")


def requests_on_one_node_cost_no_message_between_nodes(_):
    report = bench("req", "--spawn", "2", "-c", "2", "-n", "500", "--route", "local", "--check",
                   "--warmup", "100ms")
    check(report["verdict"] == "PASS" and report["spread"].keys() == {"bench-1", "bench-2"},
          f"each caller asks its own node: {report}")


def an_open_loop_times_from_the_schedule(_):
    report = bench("req", "--spawn", "1", "-c", "3", "-r", "400", "-d", "1s", "--procs", "1",
                   "--handlers", "2", "--check", "--warmup", "200ms")
    check(report["latency_us"]["from"] == "schedule" and report["settings"]["loop"] == "open",
          "the report says from when")
    check(report["verdict"] == "PASS" and report["sent"] == 400,
          f"what was due was sent, whatever became of the others: {report['sent']}")


def a_result_is_compared_with_an_older_one(mesh):
    old = os.path.join(mesh.folder, "old.json")
    words = ("req", "--spawn", "1", "-c", "2", "-n", "300", "--warmup", "50ms")
    first = bench(*words)
    with open(old, "w") as file:
        json.dump(first, file)
    line = [os.path.join(BIN, "weftbench"), *words[:4], "4", *words[5:], "--compare", old]
    done = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=120, check=False)
    check(done.returncode == 0 and "clients was 2, is 4" in done.stdout and
          "latency p99, us" in done.stdout, f"beside the table: {done.stdout}{done.stderr}")
    told = bench("conn", "--spawn", "1", "-c", "2", "--compare", old, code=3)
    check(told["verdict"] == "PASS", "the result is written all the same")


def updates_come_to_subscribers_on_other_nodes(_):
    report = bench("pubsub", "--spawn", "2", "-c", "6", "-n", "50", "-z", "64", "--route", "remote",
                   "--warmup", "50ms", "--check")
    check(report["verdict"] == "PASS" and report["receipts"]["received"] == 6 * report["sent"],
          f"each update to each subscriber: {report}")
    publisher, subscribers = report["cost"]["nodes"]
    check((publisher["name"], subscribers["name"]) == ("bench-1", "bench-2") and
          publisher["frames"]["clients"] < subscribers["frames"]["clients"] and
          subscribers["cpu_us_per_receipt"] > 0,
          f"all of them on the second node: {report['cost']}")


def sessions_churn_under_requests(mesh):
    a = mesh.start("a")
    b = mesh.start("b", seeds=[a])
    mesh.wait_agreed(a, b)
    servers = f"{a.clients},{b.clients}"
    load = mesh.run("req", [os.path.join(BIN, "weftbench"), "req", "-s", servers, "-c", "4", "-r",
                            "500", "-d", "2s", "--check"])
    report = bench("churn", "-s", servers, "-c", "5", "-r", "50", "-d", "1s")
    sessions = report["sessions"]
    check(report["bench"] == "churn" and report["verdict"] == "PASS", f"all opened: {report}")
    check(sessions["opened"] == 50 and sessions["standing"] == 5 and sessions["made_room"] == 45,
          f"the oldest ended as the next one came: {sessions}")
    check(load.wait_exit() == 0, "and no request was lost meanwhile")


def a_signal_ends_a_run_and_its_processes(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    line = [os.path.join(BIN, "weftbench"), "req", "-s", a.clients, "-c", "2", "-d", "10m",
            "--warmup", "0ms", "--json", "-"]
    run = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    wait_until(lambda: mesh.counters(a)["requests_ok"] > 100, "requests are under way")
    with open(f"/proc/{run.pid}/task/{run.pid}/children") as file:
        children = file.read().split()
    check(len(children) == 2, "one process calls, one answers")
    run.send_signal(signal.SIGINT)
    out, _ = run.communicate(timeout=60)
    check(run.returncode == 0 and json.loads(out)["sent"] > 0, f"it reports what it had: {out}")
    check(not any(os.path.exists(f"/proc/{pid}") for pid in children), "and leaves nobody behind")


def what_can_not_be_is_said(_):
    for words, says in (
            (("conn", "-c", "4001"), "4001 of them need --procs 2"),
            (("conn", "--spawn", "2", "-s", ":7310"), "give one of the two"),
            (("conn", "--prop", "tier"), "KEY=VALUE, not 'tier'"),
            (("conn", "-c", "many"), "not 'many'"),
            (("fly",), "'fly' is not known"),
            (("req", "-s", ":7310", "--route", "remote"), "needs two nodes"),
            (("req", "--compare", "/nowhere.json"), "holds no result"),
            (("cmd",), "which command?"),
            (("cmd", "close", "-c", "4000"), "8000 of them need --procs 2"),
            (("cmd", "open"), "'open' is not known here")):
        told = bench(*words, code=2)
        check(says in told, f"{words} are told {says!r}: {told}")
    report = bench("conn", "-s", "127.0.0.1:1", "-c", "2", "-d", "500ms", code=1)
    check(report["sessions"]["opened"] == 0 and report["sessions"]["unanswered"] >= 2,
          f"nobody answers there: {report['sessions']}")


run_tests([requests_cross_processes_and_nodes_and_are_checked,
           requests_on_one_node_cost_no_message_between_nodes, an_open_loop_times_from_the_schedule,
           a_result_is_compared_with_an_older_one, updates_come_to_subscribers_on_other_nodes,
           sessions_churn_under_requests,
           a_signal_ends_a_run_and_its_processes, sessions_are_opened_on_nodes_of_its_own,
           what_a_node_refuses_is_counted_by_reason, the_oldest_session_makes_room_for_the_next,
           sessions_that_lose_their_node_are_counted_or_go_on_elsewhere, what_can_not_be_is_said])
