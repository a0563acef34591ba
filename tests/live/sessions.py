#!/usr/bin/env python3
"""Sessions of a whole mesh, shown and changed from the command line: by id and by filter."""

import functools
import signal

from _mesh import BIN, check, run_tests, wait_until


def hold(mesh, node, number, *props):
    """Holds so many sessions; waits until they stand."""
    words = [word for prop in props for word in ("--prop", prop)]
    stream = mesh.run("hold", [f"{BIN}/weftctl", "-s", node.clients, "-o", "jsonl", *words,
                               "session", "open", "--number", str(number)])
    wait_until(lambda: stream.out().count("\n") >= number, f"{number} sessions at {node.name}")
    mesh.holders = getattr(mesh, "holders", []) + [stream]


def holders_first(test):
    """At the end whoever holds sessions ends before the nodes do, and need not look for others."""
    @functools.wraps(test)
    def run(mesh):
        test(mesh)
        for stream in mesh.holders:
            if stream.process.poll() is None:
                stream.signal(signal.SIGTERM)
        for stream in mesh.holders:
            stream.wait_exit()
    return run


def total(mesh, node, text, code=0):
    return mesh.json(node, "session", "ls", "-f", text, code=code)["total"]


def first_id(mesh, node, text):
    return mesh.json(node, "session", "ls", "-f", text)["sessions"][0]["id"]


def of_a_filter_exactly_those_are_closed_on_every_node(mesh):
    a, b, c = mesh.trio()
    for node, trials in ((a, 12), (b, 9), (c, 16)):
        hold(mesh, node, trials, "tier=trial")
        hold(mesh, node, 5, "tier=gold")
    chosen = ("session", "close", "-f", "tier is 'trial'")
    out, _ = mesh.ctl(a, *chosen, "--dry-run")
    check(out == "WOULD CLOSE 37, nodes 3/3: a 12, b 9, c 16\n", f"the dry run's line: {out!r}")
    check(total(mesh, b, "tier is 'trial'") == 37, "a dry run closes nobody")
    refused = mesh.json(a, *chosen, "--expect-max", "36", code=1)["error"]
    check(refused["code"] == "LIMIT_REACHED", f"more than expected: {refused}")
    check(total(mesh, b, "tier is 'trial'") == 37, "a refused expectation closes nobody")
    vector = mesh.json(a, *chosen, "--expect-max", "37", "--reason", "the trial is over")
    check((vector["command"], vector["matched"], vector["applied"], vector["failed"]) ==
          ("close", 37, 37, 0) and vector["complete"] and len(vector["id"]) == 32,
          f"the vector: {vector}")
    check({n["node"]: n["applied"] for n in vector["nodes"]} == {"a": 12, "b": 9, "c": 16},
          f"each node's part: {vector}")
    check(total(mesh, c, "tier is 'gold'") == 15, "nobody else is closed")
    mesh.ctl(a, *chosen, code=3)
    table, _ = mesh.ctl(a, "session", "close", "-f", "tier is 'gold'")
    check("NODE" in table and "matched 15, applied 15, failed 0, nodes 3/3" in table,
          f"the table for people: {table}")


def a_stopped_node_is_named_and_the_others_are_done(mesh):
    a, b, c = mesh.trio()
    for node in (a, b, c):
        hold(mesh, node, 3, "tier=trial")
    c.signal(signal.SIGSTOP)  # its verdict ends the wait, or the command's own time
    out, err = mesh.ctl(a, "session", "close", "-f", "tier is 'trial'", code=4)
    check("PARTIAL matched 6, applied 6, failed 0, nodes 2/3" in out and "no answer" in out,
          f"the table: {out}")
    check("weftctl: PARTIAL: c did not answer" in err, f"who did not answer: {err}")
    c.signal(signal.SIGCONT)
    mesh.wait_members(a, {"a": "alive", "b": "alive", "c": "alive"})


def with_an_expectation_a_stopped_node_keeps_all_from_changing(mesh):
    a, b, c = mesh.trio()
    for node in (a, b, c):
        hold(mesh, node, 3, "tier=trial")
    c.signal(signal.SIGSTOP)
    out, err = mesh.ctl(a, "session", "close", "-f", "tier is 'trial'", "--expect-max", "50",
                        code=4)
    check("CLUSTER_ROUTING" in err and "c did not answer" in err and out == "",
          f"an expectation is of the whole mesh: {out}{err}")
    check(total(mesh, b, "tier is 'trial'", code=None) >= 6, "nobody was closed")
    c.signal(signal.SIGCONT)
    mesh.wait_members(a, {"a": "alive", "b": "alive", "c": "alive"})


def one_session_is_changed_by_its_id_from_any_node(mesh):
    a, b, c = mesh.trio()
    hold(mesh, b, 1, "tier=trial")
    session = first_id(mesh, c, "tier is 'trial'")
    done = mesh.json(a, "session", "set", session, "tier=gold", "desk=7", "$Country=ch",
                     "$Principal=root")
    check(done["outcome"] == "OK" and done["node"] == "b" and
          done["previous"] == {"tier": "trial", "desk": None, "$Country": None},
          f"the previous values: {done}")
    found = mesh.json(c, "session", "get", session)["properties"]
    check((found["tier"], found["desk"], found["$Country"], found["$Principal"]) ==
          ("gold", "7", "CH", ""), f"the new ones: {found}")
    mesh.ctl(a, "session", "set", session, "--unset", "desk")
    check("desk" not in mesh.json(c, "session", "get", session)["properties"], "removed")
    mesh.ctl(c, "session", "roles", session, "--add", "trader,auditor")
    check(total(mesh, a, "hasRoles ['trader', 'auditor']") == 1, "roles count for filters")
    check(mesh.json(a, "session", "conflate", session, "on")["removed"] == 0, "nothing waited")
    check(mesh.json(a, "session", "get", session)["conflate"] is True, "the switch is shown")
    changed = mesh.json(c, "session", "roles", "-f", "hasRoles 'trader'", "--remove", "trader")
    check(changed["applied"] == 1, f"by filter: {changed}")
    done = mesh.json(a, "session", "close", session)
    check(done == {"command": "close", "session": session, "node": "b", "outcome": "OK"},
          f"closed: {done}")
    mesh.ctl(a, "session", "close", session, code=3)


def a_mistake_is_named_and_changes_nothing(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    hold(mesh, a, 2, "tier=trial")
    session = first_id(mesh, a, "tier is 'trial'")
    _, err = mesh.ctl(a, "session", "close", "-f", "Tier is Gold", code=1)
    check(err.startswith("weftctl: INVALID_FILTER: 1:9: "), f"where: {err}")
    error = mesh.json(a, "session", "close", "-f", "all and", code=1)["error"]
    check(error["code"] == "INVALID_FILTER" and error["errors"][0]["line"] == 1, f"{error}")
    for words in (("close",), ("close", session, "-f", "all"), ("close", "all"),
                  ("close", session[:-1]), ("close", session, "--dry-run"),
                  ("close", session, "--expect-max", "2"), ("close", "-f", "all", "-f", "all"),
                  ("close", "-f", "all", "--expect-max", "0"), ("set", session),
                  ("set", session, "tier"), ("set", "-f", "all", session), ("set", "tier=x"),
                  ("roles", session), ("conflate", session), ("conflate", session, "maybe"),
                  ("conflate", "-f", "all", session, "on")):
        mesh.ctl(a, "session", *words, code=2)
    for words in (("set", session, "a b=x"), ("set", session, "a=1", "a=2"),
                  ("roles", session, "--add", "x", "--remove", "x"),
                  ("roles", session, "--add", "two words"), ("close", "-f", "")):
        mesh.ctl(a, "session", *words, code=1)
    check(total(mesh, a, "tier is 'trial'") == 2, "nobody was closed or changed")


def a_listing_is_sorted_by_the_nodes_and_cut(mesh):
    a, b, c = mesh.trio()
    for node, desks in ((a, "14"), (b, "25"), (c, "36")):
        for desk in desks:
            hold(mesh, node, 1, f"desk={desk}")
    page = mesh.json(b, "session", "ls", "-f", "has desk", "--keys", "desk", "--sort", "desk",
                     "--limit", "4")
    check([s["properties"]["desk"] for s in page["sessions"]] == ["1", "2", "3", "4"] and
          page["shown"] == 4 and page["total"] == 6 and page["complete"], f"the page: {page}")


run_tests([holders_first(test) for test in (
           of_a_filter_exactly_those_are_closed_on_every_node,
           a_stopped_node_is_named_and_the_others_are_done,
           with_an_expectation_a_stopped_node_keeps_all_from_changing,
           one_session_is_changed_by_its_id_from_any_node,
           a_mistake_is_named_and_changes_nothing,
           a_listing_is_sorted_by_the_nodes_and_cut)])
