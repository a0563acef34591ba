"""Requests to sessions and to filters, repeated and counted: on real nodes."""

import json
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, SOURCE, check, run_tests, wait_until  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "examples"))
import client as wire  # noqa: E402


def serve(mesh, node, path, *words, prop=None):
    """A session that serves; a property of its own to be found by."""
    line = [os.path.join(BIN, "weftctl"), "-s", node.clients, "-o", "jsonl"]
    line += ["--prop", prop] if prop else []
    stream = mesh.run("weftctl-reply", [*line, "reply", path, *words])
    stream.session = stream.wait_log(r"weftctl: ready (\S+)").group(1)
    return stream


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def a_session_is_asked_by_its_id_from_every_node(mesh):
    a, b, c = mesh.trio()
    target = serve(mesh, b, "chat", "--direct", "here I am")
    for node in (a, b, c):
        out, _ = mesh.ctl(node, "req", "--to", target.session, "chat", "x")
        check(out == "here I am\n", f"asked on {node.name}: {out!r}")
        answer = mesh.json(node, "req", "--to", target.session, "other", code=1)
        check(answer["outcome"] == "UNHANDLED", f"not what it listens on: {answer}")
    answer = mesh.json(a, "req", "--to", "0123456789abcdef-0123456789abcdef", "chat", code=1)
    check(answer["outcome"] == "NO_SUCH_SESSION", f"nobody's id: {answer}")
    answer = mesh.json(a, "req", "chat", code=1)
    check(answer["outcome"] == "NO_HANDLER", f"it serves no path of the mesh: {answer}")
    check(not any(h["path"] == "chat" for h in mesh.json(b, "handler", "ls")["handlers"]),
          "and no node lists it")
    mesh.ctl(a, "req", "--to", "x", "chat", code=2)
    mesh.ctl(a, "req", "--to", target.session, "-f", "all", "chat", code=2)


def all_that_match_are_asked_and_each_is_told_of(mesh):
    a, b, c = mesh.trio()
    gold = {serve(mesh, node, "chat", "--direct", node.node_name, prop="tier=gold").session:
            node.node_name for node in (a, b, c)}
    deaf = serve(mesh, c, "other", "--direct", "x", prop="tier=gold").session
    serve(mesh, b, "chat", "--direct", "not meant", prop="tier=trial")
    out, _ = mesh.ctl(a, "-o", "jsonl", "req", "-f", "tier is 'gold'", "chat", "x")
    told = lines(out)
    end, parts = told[-1], {line["session"]: line for line in told[:-1]}
    check(len(told) == 5 and set(parts) == {*gold, deaf}, f"each of four once: {told}")
    check(all(parts[s]["outcome"] == "OK" and parts[s]["value"] == name
              for s, name in gold.items()), f"their answers: {parts}")
    check(parts[deaf]["outcome"] == "UNHANDLED", f"who does not listen: {parts[deaf]}")
    check(end["end"] and end["sent"] == end["answered"] == 4 and end["complete"] and
          end["nodes_asked"] == 3, f"then the end: {end}")
    out, err = mesh.ctl(a, "req", "-f", "tier is 'none'", "chat", code=3)
    check(out == "" and "no session matches, on 3 of 3 nodes" in err, f"{out!r} {err!r}")
    out, _ = mesh.ctl(a, "-o", "jsonl", "req", "-f", "tier is 'none'", "chat", code=3)
    check(lines(out)[0]["sent"] == 0, f"nothing matches: {out!r}")
    forwarded = mesh.counters(a)["requests_forwarded"]
    _, err = mesh.ctl(a, "req", "-f", "tier is gold", "chat", code=1)
    check("INVALID_FILTER: 1:9" in err, f"a bad filter says where: {err!r}")
    check(mesh.counters(a)["requests_forwarded"] == forwarded, "and no peer hears of it")


def a_node_that_dies_is_named(mesh):
    a, b, c = mesh.trio()
    serve(mesh, b, "chat", "--direct", "here", prop="tier=gold")
    silent = serve(mesh, c, "chat", "--direct", "--command", "sleep 60", prop="tier=gold")
    asker = mesh.run("weftctl-req", [os.path.join(BIN, "weftctl"), "-s", a.clients, "-t", "50s",
                                     "-o", "jsonl", "req", "-f", "tier is 'gold'", "chat"])
    wait_until(lambda: len(asker.out().splitlines()) == 1, "b has answered")
    wait_until(lambda: mesh.counters(c)["requests_handed_over"] == 1, "c's session is asked")
    c.kill()
    check(asker.wait_exit() == 4, "the end is partial")
    end = lines(asker.out())[-1]
    check(end["sent"] == 2 and end["answered"] == 1 and not end["complete"], f"the end: {end}")
    lost = [node for node in end["nodes"] if node["error"]]
    check([n["node"] for n in lost] == ["c"] and lost[0]["error"] == "HANDLER_LOST" and
          lost[0]["failed"] == 1, f"c is named: {end}")
    silent.signal(signal.SIGTERM)


def what_may_be_repeated_goes_to_another_handler(mesh):
    a, b, c = mesh.trio()
    silent = serve(mesh, c, "work", "--command", "sleep 60")
    wait_until(lambda: mesh.json(a, "handler", "ls")["handlers"], "a knows the handler")
    askers = {}
    for name, words in (("once", []), ("again", ["--idempotent"])):
        askers[name] = mesh.run(name, [os.path.join(BIN, "weftctl"), "-s", a.clients, "-t", "50s",
                                       "-o", "json", "req", *words, "work"])
    wait_until(lambda: mesh.counters(c)["requests_handed_over"] == 2, "the handler has both")
    serve(mesh, b, "work", "done elsewhere")
    wait_until(lambda: len(mesh.json(a, "handler", "ls")["handlers"]) == 2, "a knows the other")
    c.kill()
    check(askers["once"].wait_exit() == 1, "one is lost")
    check(json.loads(askers["once"].out())["outcome"] == "HANDLER_LOST", "and says so")
    check(askers["again"].wait_exit() == 0, "the other one is asked again")
    check(json.loads(askers["again"].out())["value"] == "done elsewhere", "on b")
    check(mesh.counters(a)["requests_retried"] == 1, "once")
    silent.signal(signal.SIGTERM)


def a_handler_is_told_of_the_sender_what_it_asked_for(mesh):
    a, b, c = mesh.trio()
    serve(mesh, c, "who", "--keys", "tier,$Principal", "--type", "json",
          "--command", "printf %s \"$WEFT_PROPERTIES\"")
    direct = serve(mesh, b, "who", "--direct", "--keys", "tier", "--type", "json",
                   "--command", "printf %s \"$WEFT_PROPERTIES\"")
    for words, wanted in ((["--wait", "10s"], {"tier": "gold", "$Principal": ""}),
                          (["--to", direct.session], {"tier": "gold"}),
                          (["-f", f"$SessionId is '{direct.session}'"], {"tier": "gold"})):
        out, _ = mesh.ctl(a, "-o", "jsonl", "--prop", "tier=gold", "--prop", "secret=x",
                          "req", *words, "who")
        answer = lines(out)[0]
        check(answer["value"] == wanted, f"{words}: {answer}")


class Odd(wire.Client):
    """A handler by hand, for what no honest one does."""

    def __init__(self, node):
        self.asked = []
        super().__init__(node.clients)
        kind, fields, _ = self.call(wire.REGISTER, {1: 1, 2: "odd"})
        check(kind == wire.DONE, f"registered: {fields}")

    def serve(self, fields, body, correlation):
        self.asked.append(correlation)

    def next(self):
        wait_until(lambda: self.progress(0.1) or self.asked, "it is asked")
        return self.asked.pop(0)

    def say(self, correlation, text):
        self.send(wire.RESPONSE, {1: 0, 2: wire.STRING}, text.encode(), correlation)


def an_answer_that_nobody_waits_for_changes_nothing(mesh):
    """A second one, one to something else, one behind the deadline."""
    a = mesh.start("a")
    b = mesh.start("b", seeds=[a])
    mesh.wait_agreed(a, b)
    handler = Odd(b)
    wait_until(lambda: mesh.json(a, "handler", "ls")["handlers"], "a knows the handler")

    def ask(limit):
        return mesh.run("asker", [os.path.join(BIN, "weftctl"), "-s", a.clients, "-t", limit,
                                  "req", "odd"])

    asker = ask("20s")
    asked = handler.next()
    for correlation, text in ((asked + 1, "wrong"), (99 << 32, "wrong"), (asked, "right"),
                              (asked, "again")):
        handler.say(correlation, text)
    handler.progress(0.1)
    check(asker.wait_exit() == 0 and asker.out() == "right\n", f"one answer: {asker.out()!r}")
    asker = ask("1s")
    asked = handler.next()
    check(asker.wait_exit() == 1 and "TIMEOUT" in asker.log(), f"in time: {asker.log()}")
    handler.say(asked, "late")
    handler.progress(0.1)
    wait_until(lambda: mesh.counters(b)["responses_late"] == 4, "all four are counted")
    asker = ask("20s")
    handler.say(handler.next(), "still here")
    handler.progress(0.1)
    check(asker.wait_exit() == 0 and "still here" in asker.out(), "and the handler serves on")
    handler.close()


def every_node_tells_what_its_handlers_have_done(mesh):
    a, b, c = mesh.trio()
    serve(mesh, b, "good", "fine")
    serve(mesh, c, "bad", "--command", "exit 3")
    mesh.ctl(a, "req", "--wait", "10s", "good")
    for _ in range(2):
        mesh.ctl(a, "req", "good")
    mesh.ctl(a, "req", "--wait", "10s", "bad", code=1)
    stats = mesh.json(a, "handler", "stats")
    check(stats["complete"] and stats["nodes_asked"] == 3, f"every node answered: {stats}")
    by_path = {handler["path"]: handler for handler in stats["handlers"]}
    good, bad = by_path["good"], by_path["bad"]
    check(good["node"] == "b" and good["requests"] == 3 and good["errors"] == 0 and
          good["in_flight"] == 0 and good["last_error"] is None, f"good: {good}")
    check(0 < good["avg_us"] and 0 < good["p99_us"], f"and its times: {good}")
    check(bad["node"] == "c" and bad["requests"] == bad["errors"] == 1 and
          bad["last_error"].startswith("HANDLER_ERROR: "), f"bad: {bad}")
    check(mesh.json(a, "handler", "ls")["synced"] is True, "ls says that it is up to date")


run_tests([a_session_is_asked_by_its_id_from_every_node,
           all_that_match_are_asked_and_each_is_told_of, a_node_that_dies_is_named,
           what_may_be_repeated_goes_to_another_handler,
           a_handler_is_told_of_the_sender_what_it_asked_for,
           an_answer_that_nobody_waits_for_changes_nothing,
           every_node_tells_what_its_handlers_have_done])
