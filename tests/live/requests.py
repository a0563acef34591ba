"""Requests and commands cross the mesh; local work stays local."""

import json
import os
import signal
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, SOURCE, check, run_tests, wait_until  # noqa: E402


def a_request_on_a_is_answered_on_b(mesh):
    a, b, c = mesh.trio()
    mesh.ctl_stream(b, "reply", "hello", "hi from b")
    for node in (a, c, b):
        out, _ = mesh.ctl(node, "req", "--wait", "10s", "hello", "x")
        check(out == "hi from b\n", f"the answer comes to {node.name}: {out!r}")


def a_handler_serves_what_is_below_its_path(mesh):
    a, b, c = mesh.trio()
    mesh.ctl_stream(b, "reply", "shop", "upper")
    mesh.ctl_stream(c, "reply", "shop/tea/green", "deeper")
    wait_until(lambda: len(mesh.json(a, "handler", "ls")["handlers"]) == 2, "a knows both")
    for path, answer in (("shop", "upper"), ("shop/tea", "upper"), ("shop/tea/green", "deeper"),
                         ("/shop/tea/green/jasmine/", "deeper"), ("shop/tea/greener", "upper")):
        out, _ = mesh.ctl(a, "req", path)
        check(out == answer + "\n", f"{path} is served by {answer}: {out!r}")


def no_handler_comes_at_once(mesh):
    a, _, _ = mesh.trio()
    started = time.monotonic()
    out, err = mesh.ctl(a, "-t", "20s", "req", "nobody/here", code=1)
    check(time.monotonic() - started < 10, "long before the deadline")
    check(out == "" and "NO_HANDLER" in err and "nobody/here" in err, f"and says so: {err!r}")
    answer = mesh.json(a, "req", "nobody/here", code=1)
    check(answer["outcome"] == "NO_HANDLER", f"in JSON too: {answer}")


def a_local_request_sends_nothing_to_peers(mesh):
    a, b, c = mesh.trio()
    mesh.ctl_stream(a, "reply", "here", "--echo")
    mesh.ctl(a, "req", "--wait", "5s", "here", "x")
    before = mesh.counters(a)
    for _ in range(5):
        mesh.ctl(a, "req", "here", "x")
    after = mesh.counters(a)
    check(after["requests_ok"] == before["requests_ok"] + 5, "five more were answered")
    for name in ("requests_forwarded", "responses_forwarded"):
        check(after[name] == before[name] == 0, f"{name} stays 0: {after[name]}")
    for node in (b, c):
        check(mesh.counters(node)["requests_handed_over"] == 0, "nobody else saw one")


def a_session_is_closed_from_another_node(mesh):
    a, _, c = mesh.trio()
    held = mesh.ctl_stream(c, "session", "open")
    seen = wait_until(lambda: [s for s in mesh.json(a, "session", "ls")["sessions"]
                               if s["id"] == held.session], "a lists it")
    check(seen[0]["node"] == "c", "as c's")
    got = mesh.json(a, "session", "get", held.session)
    check(got["properties"]["$ServerName"] == "c" and
          got["properties"]["$SessionId"] == held.session, f"its properties come: {got}")
    before = mesh.counters(a)["commands_forwarded"]
    done = mesh.json(a, "session", "close", held.session, "--reason", "enough")
    check(done["outcome"] == "OK" and done["node"] == "c", f"done: {done}")
    check(mesh.counters(a)["commands_forwarded"] > before, "it went to a peer")
    held.wait_exit()
    lines = [json.loads(line) for line in held.out().splitlines()]
    check(any(line.get("id") == held.session and line.get("closed") == "closed_by_controller"
              for line in lines), f"its client is told why: {lines}")
    _, err = mesh.ctl(a, "session", "close", held.session, code=3)
    check("NO_SUCH_SESSION" in err, f"it stays closed: {err!r}")


def a_local_close_sends_no_command_to_peers(mesh):
    a, _, _ = mesh.trio()
    held = mesh.ctl_stream(a, "session", "open")
    before = mesh.counters(a)["commands_forwarded"]
    mesh.ctl(a, "session", "close", held.session)
    held.wait_exit()
    asked = mesh.counters(a)["commands_forwarded"]
    check(asked == before, f"no command left: {before} {asked}")


def a_mistyped_id_is_a_usage_error(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    for text in ("xyz", "0123", "0123456789abcdef-0123456789abcde", "all"):
        _, err = mesh.ctl(a, "session", "close", text, code=2)
        check("USAGE" in err, f"{text}: {err!r}")
    _, err = mesh.ctl(a, "session", "close", "0123456789abcdef-0123456789abcdef", code=3)
    check("NO_SUCH_SESSION" in err, f"a good one that is nobody's: {err!r}")


def requests_of_a_killed_node_end_handler_lost(mesh):
    a, b, c = mesh.trio()
    silent = mesh.ctl_stream(c, "reply", "slow", "--command", "sleep 60")
    wait_until(lambda: mesh.json(a, "handler", "ls")["handlers"], "a knows the handler")
    asker = mesh.run("weftctl-req", [os.path.join(BIN, "weftctl"), "-s", a.clients, "-t", "50s",
                                     "-o", "json", "req", "slow"])
    wait_until(lambda: mesh.counters(c)["requests_handed_over"] == 1, "the handler has it")
    killed = time.monotonic()
    c.kill()
    check(asker.wait_exit() == 1, "the asker ends with 1")
    check(time.monotonic() - killed < 20, "long before its deadline")
    check(json.loads(asker.out())["outcome"] == "HANDLER_LOST", f"outcome: {asker.out()}")
    silent.signal(signal.SIGTERM)
    mesh.ctl_stream(b, "reply", "slow", "other")
    out, _ = mesh.ctl(a, "req", "--wait", "10s", "slow")
    check(out == "other\n", "the next one goes to b")


def a_python_client_written_from_the_specification_works(mesh):
    a, b, _ = mesh.trio()
    client = [sys.executable, os.path.join(SOURCE, "examples", "client.py")]
    server = mesh.run("python-serve", [*client, b.clients, "serve", "py"])
    server.wait_log(r"serving py")
    out, _ = mesh.ctl(a, "req", "--wait", "10s", "py", "Ada")
    check(out == "hello Ada, this is Python\n", f"it serves: {out!r}")
    asker = mesh.run("python-ask", [*client, a.clients, "ask", "py", "Bob"])
    check(asker.wait_exit() == 0 and asker.out() == "hello Bob, this is Python\n", "it asks")
    lonely = mesh.run("python-ask", [*client, a.clients, "ask", "nobody", "x"])
    check(lonely.wait_exit() == 1 and "NO_HANDLER" in lonely.out(), "it is told outcomes")
    held = mesh.run("python-hold", [*client, b.clients, "hold"])
    session = held.wait_log(r"session (\S+) on node b").group(1)
    mesh.ctl(a, "session", "close", session, "--reason", "thank you")
    held.wait_exit()
    check("closed_by_controller thank you" in held.log(), f"it is told why: {held.log()!r}")


def a_short_load_holds(mesh):
    a, b, c = mesh.trio()
    servers = ",".join(node.clients for node in (a, b, c))
    for words in (["--route", "remote", "-P", "8"], ["--route", "local", "-r", "500"]):
        bench = mesh.run("weftbench", [os.path.join(BIN, "weftbench"), "req", "-s", servers, "-c",
                                       "6", "-n", "2000", "--warmup", "100ms", "--check",
                                       "--json", "-", *words])
        check(bench.wait_exit(60) == 0, "every check holds")
        report = json.loads(bench.out())
        check(report["verdict"] == "PASS" and report["outcomes"] == {"OK": report["sent"]},
              f"all OK: {report['outcomes']}")
    for node in (a, b, c):
        counters = mesh.counters(node)
        outcomes = sum(counters["requests_" + o] for o in (
            "ok", "rejected", "handler_error", "no_handler", "unhandled", "no_such_session",
            "denied", "overloaded", "handler_lost", "timeout", "cancelled", "other"))
        check(counters["requests_received"] == outcomes, f"received = sum of outcomes on "
              f"{node.name}: {counters['requests_received']} {outcomes}")


run_tests([a_request_on_a_is_answered_on_b, a_handler_serves_what_is_below_its_path,
           no_handler_comes_at_once, a_local_request_sends_nothing_to_peers,
           a_session_is_closed_from_another_node, a_local_close_sends_no_command_to_peers,
           a_mistyped_id_is_a_usage_error, requests_of_a_killed_node_end_handler_lost,
           a_python_client_written_from_the_specification_works, a_short_load_holds])
