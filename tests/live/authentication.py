"""Who may enter: passwords and handlers, anywhere in the mesh, and all that may go wrong with them.
Nobody comes in without an allow, and no credentials are found anywhere afterwards."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, SOURCE, check, run_tests, wait_until  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "examples"))
import client as wire  # noqa: E402

UNREGISTER, AUTHENTICATE, DECISION, REAUTHENTICATE = 20, 28, 29, 30
ACCESS_DENIED, LIMIT_REACHED = 33, 48
ALLOW, DENY = 1, 2
SECRET, GUESS = "open-sesame-4711", "guess-no-0815"
HANDLER_CHAIN = {"auth": {"chain": ["anonymous", "handler:corporate"]},
                 "permissions": {"*": ["*"]}}


def write(mesh, name, content):
    path = os.path.join(mesh.folder, name)
    with open(path, "w") as file:
        file.write(content if isinstance(content, str) else json.dumps(content))
    return path


def passwd(name, password, *words):
    """A line of the users file, made by weftctl as an operator makes it."""
    done = subprocess.run([os.path.join(BIN, "weftctl"), "passwd", name, *words],
                          input=password + "\n", capture_output=True, text=True, timeout=60,
                          check=False)
    check(done.returncode == 0, f"passwd: {done.stderr}")
    check(password not in done.stdout + done.stderr, "the password is not shown")
    return done.stdout


def login(mesh, node, name, password, *words, code=0):
    """weftctl as that principal; the password comes from a file, never from the command line."""
    path = write(mesh, f"password-{name}", password + "\n")
    return mesh.ctl(node, "--user", name, "--password-file", path, *words, code=code)


def with_handlers(mesh, *extra):
    """Three nodes whose chain asks the handler `corporate` about everybody with a name."""
    config = dict(HANDLER_CHAIN, auth={"chain": ["anonymous", "handler:corporate", *extra]})
    path = write(mesh, "chain.json", config)
    return mesh.trio("-c", path)


def counted(mesh, node, name, amount=1):
    wait_until(lambda: mesh.counters(node)[name] >= amount, f"{node.name} counts {name}")


def principals(mesh, node):
    rows = mesh.json(node, "session", "ls", "--keys", "$Principal,$Roles,$ServerName")["sessions"]
    return [row["properties"] for row in rows if row["properties"]["$Principal"]]


def remembers(process, secret):
    """Whether it is anywhere in the process's memory that can be written."""
    mapped = f"/proc/{process.pid}/maps"
    with open(mapped) as maps, open(f"/proc/{process.pid}/mem", "rb") as memory:
        for line in maps:
            span, rights = line.split()[:2]
            begin, end = (int(number, 16) for number in span.split("-"))
            if "w" not in rights or end - begin > 256 << 20:  # the sanitizers' shadows
                continue
            memory.seek(begin)
            try:
                if secret.encode() in memory.read(end - begin):
                    return True
            except OSError:  # a guard page
                continue
    return False


def undecided(counters):
    """Logins that were begun and have not ended."""
    return counters["authentications_begun"] - sum(
        counters["authentications_" + how] for how in ("allowed", "denied", "refused", "abandoned"))


def adds_up(counters):
    """Every login that was begun has ended, once."""
    check(undecided(counters) == 0, f"begun = ended: {counters}")


def found_nowhere(mesh, nodes, *secrets):
    """No log, no counter, no listing has them."""
    said = "".join(process.log() + process.out() for process in mesh.processes)
    for node in nodes:
        adds_up(mesh.counters(node))
        said += json.dumps(mesh.counters(node)) + mesh.ctl(node, "handler", "ls")[0]
        said += mesh.ctl(node, "-o", "json", "session", "ls", "--keys", "*F,*U")[0]
        said += mesh.ctl(node, "node", "ls", "--all")[0]
    for secret in secrets:
        check(secret not in said, f"{secret} is found nowhere")


class Handler(wire.Client):
    """An authentication handler by hand, for what no honest one does."""

    def __init__(self, node):
        self.asked = []
        super().__init__(node.clients)
        kind, fields, _ = self.call(wire.REGISTER, {1: 2, 2: "corporate"})
        check(kind == wire.DONE, f"registered: {fields}")

    def receive(self, kind, fields, body, correlation):
        if kind == AUTHENTICATE:
            self.asked.append((correlation, fields, body))
        else:
            super().receive(kind, fields, body, correlation)

    def next(self):
        end = time.monotonic() + 20
        while not self.asked and time.monotonic() < end:
            self.progress(0.1)
        check(self.asked, "it is asked")
        return self.asked.pop(0)

    def say(self, correlation, code, body=b""):
        self.send(DECISION, {1: code}, body, correlation)


class Somebody(wire.Client):
    """A session that says who it is a second time."""

    def __init__(self, node):
        self.taken_back = []
        super().__init__(node.clients)

    def receive(self, kind, fields, body, correlation):
        if kind == UNREGISTER:
            self.taken_back.append(fields[2].decode())
        else:
            super().receive(kind, fields, body, correlation)

    def code(self, kind, fields):
        """0, or the code of the error that it is answered with."""
        answer, said, _ = self.call(kind, fields)
        return 0 if answer == wire.DONE else wire.number(said, 1)


def visitor(mesh, node, name="ada", password=SECRET):
    """weftctl that waits for being let in, in the background."""
    path = write(mesh, f"password-{name}", password + "\n")
    return mesh.run("visitor", [os.path.join(BIN, "weftctl"), "-s", node.clients, "-t", "20s",
                                "--user", name, "--password-file", path, "handler", "ls"])


def the_file_of_users_decides(mesh):
    users = write(mesh, "users", "# the desk\n" + passwd("ada", SECRET, "--role", "desk,eu") +
                  passwd("bob", SECRET))
    config = {
        "auth": {"chain": ["anonymous", "users", "deny"], "users_file": users},
        "permissions": {"*": ["view_session", "view_mesh"], "desk": ["register_handler"]}}
    path = write(mesh, "a.json", config)
    a = mesh.start("a", "-c", path, "--log-level", "debug")
    mesh.wait_ready(a)
    held = mesh.ctl_stream(a, "--user", "ada", "--password-file",
                           write(mesh, "password-ada", SECRET), "reply", "desk/x", "hi")
    check(principals(mesh, a) == [{"$Principal": "ada", "$Roles": '"desk","eu"',
                                   "$ServerName": "a"}], "as the file says")
    refusals = {login(mesh, a, name, GUESS, "session", "ls", code=1)[1].replace(name, "X")
                for name in ("ada", "eve")}
    check(len(refusals) == 1, f"who is in the file is told what all are told: {refusals}")
    check("ACCESS_DENIED" in refusals.pop(), "in one word")
    _, err = login(mesh, a, "bob", SECRET, "reply", "desk/y", "hi", code=1)
    check("ACCESS_DENIED" in err, "bob has no roles")

    write(mesh, "users", passwd("bob", GUESS, "--role", "desk") + "carl not-a-hash\n")
    a.signal(signal.SIGHUP)
    a.wait_log(r" reload-failed .*users, line 2: the second word is no Argon2id hash")
    login(mesh, a, "bob", SECRET, "session", "ls")
    write(mesh, "users", passwd("bob", GUESS, "--role", "desk"))
    a.signal(signal.SIGHUP)
    a.wait_log(r" reloaded ")
    login(mesh, a, "bob", SECRET, "session", "ls", code=1)
    login(mesh, a, "bob", GUESS, "session", "ls")
    login(mesh, a, "ada", SECRET, "session", "ls", code=1)
    check(held.process.poll() is None, "who is in stays, also without a line")
    config["auth"]["chain"] = ["anonymous", "deny"]
    write(mesh, "a.json", config)
    a.signal(signal.SIGHUP)
    wait_until(lambda: a.log().count(" reloaded ") == 2, "the chain is read again")
    login(mesh, a, "bob", GUESS, "session", "ls", code=1)
    check(held.process.poll() is None and mesh.counters(a)["sessions_opened"] > 0, "in is in")
    check(mesh.counters(a)["authentications_denied"] >= 4, "counted")
    found_nowhere(mesh, (a,), SECRET, GUESS)


def who_is_in_may_become_another(mesh):
    """REAUTHENTICATE: the same chain; a no changes nothing, a yes counts at once."""
    users = write(mesh, "users", passwd("ada", SECRET, "--role", "desk") + passwd("bob", GUESS))
    path = write(mesh, "a.json", {
        "auth": {"chain": ["anonymous", "users"], "users_file": users},
        "permissions": {"*": ["view_session", "view_mesh"], "desk": ["register_handler"]}})
    a = mesh.start("a", "-c", path, "--log-level", "debug")
    mesh.wait_ready(a)
    somebody, handler = Somebody(a), {1: 1, 2: "desk/x"}
    check(somebody.code(wire.REGISTER, handler) == ACCESS_DENIED, "nobody may not serve")
    check(somebody.code(REAUTHENTICATE, {1: "ada", 2: GUESS}) == ACCESS_DENIED, "not ada")
    check(principals(mesh, a) == [], "a no changes nothing")
    check(somebody.code(REAUTHENTICATE, {1: "ada", 2: SECRET}) == 0, "ada")
    check(principals(mesh, a) == [{"$Principal": "ada", "$Roles": '"desk"', "$ServerName": "a"}],
          "and everybody sees it")
    check(somebody.code(wire.REGISTER, handler) == 0, "who may serve at once")
    check(somebody.code(REAUTHENTICATE, {1: "bob", 2: GUESS}) == 0, "bob")
    check(somebody.taken_back == ["desk/x"], f"who may not, at once: {somebody.taken_back}")
    check(mesh.json(a, "handler", "ls")["handlers"] == [], "and does not")
    found_nowhere(mesh, (a,), SECRET, GUESS)
    somebody.close()


def who_fails_often_is_not_asked_any_more(mesh):
    """By address; loopback is not limited, so the machine's own address is the client's."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # nothing is sent
            own = probe.getsockname()[0]
        except OSError:
            own = "127.0.0.1"
    if own.startswith("127."):
        print("  this machine has no address but loopback, which is not limited")
        return
    users = write(mesh, "users", passwd("ada", SECRET))
    path = write(mesh, "a.json", {
        "auth": {"chain": ["anonymous", "users"], "users_file": users, "failures_per_address": 2},
        "permissions": {"*": ["*"]}})
    a = mesh.start("a", "-c", path, "--host", own, "--insecure")
    mesh.wait_ready(a)
    somebody = Somebody(a)
    codes = [somebody.code(REAUTHENTICATE, {1: "ada", 2: password})
             for password in (GUESS, GUESS, GUESS, SECRET)]
    check(codes == [ACCESS_DENIED, ACCESS_DENIED, LIMIT_REACHED, LIMIT_REACHED], f"{codes}")
    counters = mesh.counters(a)
    check(counters["passwords_checked"] == 2, "the others cost nothing")
    check(counters["authentications_refused_address"] == 2, "and are counted")
    mesh.ctl(a, "session", "ls")
    somebody.close()


def files_of_users_that_can_not_be_read_stop_the_start(mesh):
    weftd = os.path.join(BIN, "weftd")
    users = write(mesh, "users", "ada $argon2id$v=19$m=9999999,t=2,p=1$YWJjZGVmZ2hpamtsbW5v$"
                  "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\n")
    for auth, why in (({"chain": ["users"]}, "name their file: auth.users_file"),
                      ({"chain": ["users"], "users_file": users}, "line 1: checking this hash"),
                      ({"chain": ["users"], "users_file": "/no/such"}, "No such file"),
                      ({"chain": ["handler:"]}, "handler:NAME"),
                      ({"chain": ["allow"], "on_timeout": "allow"}, "must be deny or abstain")):
        path = write(mesh, "bad.json", {"auth": auth, "permissions": {}})
        for words in (("--check-config",), ("--port", "0")):
            done = subprocess.run([weftd, "-c", path, *words], capture_output=True, text=True,
                                  timeout=30, check=False)
            check(done.returncode == 2 and why in done.stderr, f"{auth}: {done.stderr}")


def a_handler_on_c_decides_for_a(mesh):
    a, b, c = with_handlers(mesh)
    handler = mesh.ctl_stream(c, "handler", "auth", "corporate", "--allow", "--role", "desk")
    wait_until(lambda: [h for h in mesh.json(a, "handler", "ls")["handlers"]
                        if h["kind"] == "auth"], "a has heard of it")
    held = mesh.ctl_stream(a, "--user", "ada", "--password-file",
                           write(mesh, "password-ada", SECRET), "session", "open")
    check(principals(mesh, b) == [{"$Principal": "ada", "$Roles": '"desk"', "$ServerName": "a"}],
          "decided on c, let in by a, seen by b")
    check(json.loads(handler.out().splitlines()[0]) == {"principal": "ada", "verdict": "allow"},
          f"the handler says so: {handler.out()}")
    held.signal(signal.SIGTERM)
    handler.signal(signal.SIGTERM)
    handler.wait_exit()
    wait_until(lambda: not mesh.json(a, "handler", "ls")["handlers"], "it is gone")
    denier = mesh.ctl_stream(c, "handler", "auth", "corporate", "--deny")
    wait_until(lambda: mesh.json(b, "handler", "ls")["handlers"], "b has heard of the other")
    _, err = login(mesh, b, "ada", SECRET, "session", "ls", code=1)
    check("ACCESS_DENIED" in err, "and no")
    check(mesh.counters(c)["authenticators_asked"] >= 2, "c asked")
    stats = mesh.json(b, "handler", "stats")["handlers"]
    check([(h["kind"], h["node"], h["requests"], h["errors"]) for h in stats] ==
          [("auth", "c", 1, 0)], f"and its handler answered: {stats}")
    check(not remembers(denier, SECRET), "who decided has forgotten what he was shown")
    found_nowhere(mesh, (a, b, c), SECRET)


def only_configured_names_can_be_registered(mesh):
    a, _, _ = with_handlers(mesh)
    _, err = mesh.ctl(a, "handler", "auth", "other", "--allow", code=1)
    check("INVALID_ARGUMENT: no step of this node's auth.chain is handler:other" in err, err)


def a_silent_handler_is_a_no(mesh):
    a, _, c = with_handlers(mesh, "allow")
    handler = mesh.ctl_stream(c, "handler", "auth", "corporate", "--allow")
    wait_until(lambda: mesh.json(a, "handler", "ls")["handlers"], "a has heard of it")
    handler.signal(signal.SIGSTOP)
    _, err = login(mesh, a, "ada", SECRET, "session", "ls", code=1)
    check("ACCESS_DENIED" in err, "silence is deny, whatever comes behind in the chain")
    counted(mesh, a, "authenticators_silent")
    handler.signal(signal.SIGCONT)
    counted(mesh, c, "authentication_answers_late")
    check(mesh.counters(a)["authentications_denied"] == 1, "its late answer changed nothing")


def a_handler_that_says_too_much(mesh):
    """It answers twice, late, and what it was not asked."""
    a, _, _ = with_handlers(mesh)
    handler = Handler(a)
    ada = visitor(mesh, a)
    correlation, fields, body = handler.next()
    check(fields[2] == b"ada" and fields[3] == SECRET.encode(), "who, and with what")
    check(b"$Transport" in body, "and what the node knows")
    handler.say(correlation + 1, ALLOW)
    handler.say(12345 << 32, ALLOW)
    handler.say(correlation, 9)
    handler.progress(0.2)
    check(ada.process.poll() is None, "nothing of that counts")
    handler.say(correlation, DENY)
    handler.say(correlation, ALLOW)
    check(ada.wait_exit() == 1 and "ACCESS_DENIED" in ada.log(), "the first answer counts")
    handler.progress(0.2)
    counted(mesh, a, "authentication_answers_late", 3)
    check(mesh.counters(a)["client_messages_invalid"] == 1, "and a 9 is no answer")
    found_nowhere(mesh, (a,), SECRET)


def the_next_handler_is_asked_when_a_node_dies(mesh):
    a, b, c = with_handlers(mesh)
    first = mesh.ctl_stream(c, "handler", "auth", "corporate", "--allow")
    wait_until(lambda: mesh.json(a, "handler", "ls")["handlers"], "a has heard of it")
    first.signal(signal.SIGSTOP)
    ada = visitor(mesh, a)
    counted(mesh, c, "authenticators_asked")
    mesh.ctl_stream(b, "handler", "auth", "corporate", "--allow", "--role", "second")
    wait_until(lambda: len(mesh.json(a, "handler", "ls")["handlers"]) == 2, "a knows both")
    c.kill()
    check(ada.wait_exit() == 0, f"the second lets her in: {ada.log()}")
    check(mesh.counters(a)["authenticators_lost"] == 1, "one was lost")
    first.signal(signal.SIGCONT)


def a_newcomer_under_load_is_served_by_the_handlers_that_are_there(mesh):
    path = write(mesh, "chain.json", dict(HANDLER_CHAIN, auth={
        "chain": ["anonymous", "handler:corporate"]}))
    a, b, c = mesh.trio("-c", path)
    mesh.ctl_stream(c, "handler", "auth", "corporate", "--allow", "--role", "desk")
    mesh.ctl_stream(b, "reply", "hello", "hi")
    load = mesh.run("weftbench", [os.path.join(BIN, "weftbench"), "req", "-s",
                                  ",".join((a.clients, b.clients, c.clients)), "-c", "8", "-r",
                                  "500", "-d", "8s", "--check", "--json", "-"])
    wait_until(lambda: mesh.counters(a)["requests_ok"] > 100, "the load runs")
    asked = mesh.counters(c)["authenticators_asked"]
    d = mesh.start("d", "-c", path, seeds=[a])
    mesh.wait_ready(d)
    for _ in range(5):
        out, _ = login(mesh, d, "ada", SECRET, "req", "hello")
        check(out == "hi\n", "let in and served, at once")
    check(mesh.counters(c)["authenticators_asked"] == asked + 5, "by the handler on c")
    check(load.wait_exit(120) == 0, "the load ends well")
    report = json.loads(load.out())
    check(report["outcomes"] == {"OK": report["sent"]}, f"no failed request: {report['outcomes']}")


def two_hundred_logins_at_once_delay_nobody(mesh):
    """Members stay alive, and requests go on, while one node checks two hundred passwords."""
    users = write(mesh, "users", passwd("ada", SECRET))
    path = write(mesh, "a.json", {"auth": {"chain": ["anonymous", "users"], "users_file": users},
                                  "permissions": {"*": ["*"]}})
    a = mesh.start("a", "-c", path)
    b = mesh.start("b", "-c", path, seeds=[a])
    mesh.wait_agreed(a, b)
    load = mesh.run("weftbench", [os.path.join(BIN, "weftbench"), "req", "-s",
                                  f"{a.clients},{b.clients}", "-c", "4", "-r", "100", "-d", "10s",
                                  "--check", "--json", "-"])
    wait_until(lambda: mesh.counters(a)["requests_ok"] > 20, "the load runs")
    crowd = mesh.run("crowd", [os.path.join(BIN, "weftctl"), "-s", a.clients, "-t", "300s", "-o",
                               "jsonl", "--user", "ada", "--password-file",
                               write(mesh, "password", SECRET), "session", "open", "--number",
                               "200"])
    check(load.wait_exit(120) == 0, "requests went on")
    report = json.loads(load.out())
    check(report["outcomes"] == {"OK": report["sent"]}, f"all of them: {report['outcomes']}")
    counters = mesh.counters(a)
    doubts = counters["probes_failed"] + counters["suspicions"] + mesh.counters(b)["suspicions"]
    check(counters["authentications_denied"] == 0, "all were let in")
    check(counters["passwords_checked"] > 0, "meanwhile passwords were checked")
    print(f"  {counters['passwords_checked']} of 200 logins in 10 s; requests p99 "
          f"{report['latency_us']['p99']} us, max {report['latency_us']['max']} us; "
          f"{doubts} probes failed or members suspected")
    crowd.signal(signal.SIGTERM)
    crowd.wait_exit()
    wait_until(lambda: undecided(mesh.counters(a)) == 0, "who has left is waited for no longer")
    found_nowhere(mesh, (a, b), SECRET)


run_tests([the_file_of_users_decides, who_is_in_may_become_another,
           who_fails_often_is_not_asked_any_more,
           files_of_users_that_can_not_be_read_stop_the_start,
           a_handler_on_c_decides_for_a, only_configured_names_can_be_registered,
           a_silent_handler_is_a_no, a_handler_that_says_too_much,
           the_next_handler_is_asked_when_a_node_dies,
           a_newcomer_under_load_is_served_by_the_handlers_that_are_there,
           two_hundred_logins_at_once_delay_nobody])
