"""Sessions outlive their connections: nothing is lost or comes twice, and nobody else gets them."""

import json
import os
import signal
import struct
import sys
import time

import zmq

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, SOURCE, check, resident_bytes, run_tests, wait_until  # noqa: E402
from _proxy import Proxy  # noqa: E402

sys.path.insert(0, os.path.join(SOURCE, "examples"))
import client as wire  # noqa: E402

NO_SUCH_SESSION = 5


def bench(mesh, servers, *words):
    return mesh.run("weftbench", [os.path.join(BIN, "weftbench"), "req", "-s", ",".join(servers),
                                  "--reconnect", "--check", "--json", "-", *words])


def verdict(load):
    """Every request OK, none lost, none doubled; returns the report."""
    check(load.wait_exit(120) == 0, "every check holds")
    report = json.loads(load.out())
    check(report["verdict"] == "PASS", f"verdict: {report}")
    check(report["outcomes"] == {"OK": report["sent"]}, f"all OK: {report['outcomes']}")
    return report


def has_ended(load):
    return load.process.poll() is not None


def sum_of(mesh, nodes, name):
    return sum(mesh.counters(node)[name] for node in nodes)


def connections_that_break_at_any_byte_lose_and_double_nothing(mesh):
    """Callers and handlers of one load, all behind proxies that break each connection after some
    ten kilobytes, at whatever byte that is, in all three ways."""
    a = mesh.start("a")
    b = mesh.start("b", seeds=[a])
    mesh.wait_agreed(a, b)
    with Proxy(a.clients, (2000, 40000), seed=1) as near, \
            Proxy(b.clients, (2000, 40000), seed=2) as far:
        load = bench(mesh, [near.address, far.address], "-c", "8", "-P", "4", "-n", "6000",
                     "--warmup", "100ms", "--timeout", "60s", "--seed", "7")
        verdict(load)
        cuts, halves = near.cuts + far.cuts, near.halves + far.halves
    resumed = sum_of(mesh, (a, b), "sessions_resumed")
    print(f"  {cuts} connections broken, {halves} left half open, {resumed} sessions resumed")
    check(cuts >= 50 and halves >= 5, f"they broke often: {cuts}, {halves}")
    check(resumed >= cuts / 4, f"and came back: {resumed}")
    for name in ("sessions_unrecovered", "sessions_not_resumed", "client_frames_bad"):
        check(sum_of(mesh, (a, b), name) == 0, f"{name} is 0")
    # What came back kept its id: eight callers and two handlers, no more (and those that ask).
    check(sum_of(mesh, (a, b), "sessions_lost") == 0, "no session was lost")


def all_at_once_return_all_at_once(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    with Proxy(a.clients) as proxy:
        load = bench(mesh, [proxy.address], "-c", "200", "-n", "20000", "--warmup", "100ms",
                     "--timeout", "60s", "-r", "4000")
        wait_until(lambda: mesh.counters(a)["requests_ok"] > 2000, "the load runs")
        # A busy machine may get fewer rounds done before the load, which has its own pace, is over.
        back = 0
        while back < 3 and not has_ended(load):
            proxy.cut_all()
            wait_until(lambda: mesh.counters(a)["sessions_resumed"] >= 201 * (back + 1) or
                       has_ended(load), "all are back")
            back = mesh.counters(a)["sessions_resumed"] // 201
        verdict(load)
        check(back >= 1, "all were back at least once while requests went on")
        print(f"  all back {back} times")


def says_hello(server, session=None, token=b"", received=0, reconnect_ms=30000):
    """HELLO by hand; returns (socket, kind, fields)."""
    sock = zmq.Context.instance().socket(zmq.DEALER)
    sock.linger = 0
    sock.reconnect_ivl = -1
    sock.connect("tcp://" + server)
    fields = {1: 1, 2: 1, 4: "python", 8: reconnect_ms}
    if session is not None:
        fields.update({9: session, 10: token, 11: received})
    encoded = wire.fields_encode(fields)
    sock.send(struct.pack("<4sBBH", b"WEFT", 1, 1, 0) +
              struct.pack("<BBHIQ", wire.HELLO, 1, len(encoded), 0, 1) + encoded)
    check(sock.poll(20000), "HELLO is answered")
    frame = sock.recv()
    kind, _, size = struct.unpack_from("<BBH", frame, 8)
    return sock, kind, wire.fields_decode(frame[24:24 + size])


def a_wrong_token_and_an_unknown_id_are_refused_alike(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    owner, kind, welcome = says_hello(a.clients)
    check(kind == wire.WELCOME, "a session")
    session, token = welcome[2], welcome[3]
    check(len(token) == 32, "with a token")
    refusals = []
    for wrong in ((session, token[:-1] + bytes([token[-1] ^ 1])), (session, b"\0" * 32),
                  (session, b""), (session, token[:31]),
                  (session[:8] + bytes([session[8] ^ 1]) + session[9:], token)):
        thief, kind, fields = says_hello(a.clients, *wrong)
        check(kind == wire.REFUSED, f"refused: {kind}")
        refusals.append(fields)
        thief.close()
    check(all(r == refusals[0] for r in refusals), f"all alike: {refusals}")
    check(wire.number(refusals[0], 1) == NO_SUCH_SESSION, f"the code: {refusals[0]}")
    check(mesh.counters(a)["sessions_disconnected"] == 0, "the session was not touched")
    again, kind, fields = says_hello(a.clients, session, token)
    check(kind == wire.WELCOME and fields[2] == session, "its owner gets it")
    check(wire.number(fields, 9) == 1, "recovered")
    owner.close()
    again.close()


def state_of(mesh, node, session):
    rows = mesh.json(node, "session", "ls")["sessions"]
    return next((row["state"] for row in rows if row["id"] == session), None)


def a_killed_client_is_noticed_at_once_and_closed_when_its_time_is_over(mesh):
    a = mesh.start("a", "--set", "sessions.reconnect=3s")
    mesh.wait_ready(a)
    held = mesh.ctl_stream(a, "session", "open")
    check(state_of(mesh, a, held.session) == "active", "it stands")
    killed = time.monotonic()
    held.kill()
    wait_until(lambda: mesh.counters(a)["sessions_disconnected"] == 1, "noticed")
    noticed = time.monotonic() - killed
    check(state_of(mesh, a, held.session) == "disconnected", "and shown")
    check(noticed < 2.5, f"long before it is closed: {noticed:.2f} s")
    wait_until(lambda: mesh.counters(a)["sessions_lost"] == 1, "then closed")
    check(state_of(mesh, a, held.session) is None, "and gone")
    check(mesh.counters(a)["sessions_lost"] == 1, "once")
    print(f"  noticed after {noticed * 1000:.0f} ms")


def a_node_may_grant_no_time_at_all(mesh):
    a = mesh.start("a", "--set", "sessions.reconnect=0ms")
    mesh.wait_ready(a)
    held = mesh.ctl_stream(a, "session", "open")
    held.kill()
    wait_until(lambda: mesh.counters(a)["sessions_lost"] == 1, "closed at once")
    check(mesh.counters(a)["sessions_disconnected"] == 0, "never disconnected")


def one_that_does_not_read_delays_nobody_and_is_bounded(mesh):
    """A client grants endlessly, asks for 64 MiB of answers and reads none of them."""
    a = mesh.start("a")
    mesh.wait_ready(a)
    mesh.ctl_stream(a, "reply", "big", "--echo")
    mesh.ctl(a, "req", "--wait", "10s", "big", "x")
    slow, kind, _ = says_hello(a.clients)
    check(kind == wire.WELCOME, "a session")
    slow.rcvhwm = 1

    def say(kind, fields, body=b"", correlation=0):
        encoded = wire.fields_encode(fields)
        slow.send(struct.pack("<4sBBH", b"WEFT", 1, 1, 0) +
                  struct.pack("<BBHIQ", kind, 0, len(encoded), len(body), correlation) +
                  encoded + body)

    most = (1 << 32) - 1
    say(wire.GRANT, {2: most, 3: most})
    before = resident_bytes(a.pid)
    for number in range(1, 129):
        say(wire.REQUEST, {1: "big", 2: 3, 3: 20000}, bytes(512 * 1024), number)
    for _ in range(20):
        out, _ = mesh.ctl(a, "req", "big", "others")
        check(out == "others\n", "the others are served meanwhile")
    wait_until(lambda: mesh.counters(a)["requests_received"] >= 150 or
               mesh.counters(a)["sessions_closed"] > 0, "all was asked")
    grown = resident_bytes(a.pid) - before
    # ASan keeps 256 MiB of what was freed.
    most = 200 + (256 if os.environ.get("WEFT_PROFILE") == "dev" else 0)
    check(grown < most * 1024 * 1024, f"memory stays bounded: {grown >> 20} MiB more")
    slow.close()
    check(mesh.ctl(a, "req", "big", "after")[0] == "after\n", "and later")


def ten_thousand_connect_within_moments(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    load = mesh.run("weftbench", [os.path.join(BIN, "weftbench"), "conn", "-s", a.clients, "-c",
                                  "10000", "--procs", "3", "--json", "-"])
    check(load.wait_exit(150) == 0, "all stood")
    counters = mesh.counters(a)
    check(counters["sessions_opened"] >= 10000, f"opened: {counters['sessions_opened']}")
    check(counters["sessions_refused"] == 0, "none refused")


def a_python_client_resumes_from_the_specification(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    example = [sys.executable, os.path.join(SOURCE, "examples", "client.py")]
    with Proxy(a.clients) as proxy:
        server = mesh.run("python-serve", [*example, proxy.address, "serve", "py"])
        session = server.wait_log(r"session (\S+) on node a").group(1)
        server.wait_log(r"serving py")
        for round_ in range(3):
            out, _ = mesh.ctl(a, "req", "--wait", "10s", "py", "Ada")
            check(out == "hello Ada, this is Python\n", f"it serves: {out!r}")
            check(proxy.cut_all() == 1, "its connection is cut")
            wait_until(lambda: mesh.counters(a)["sessions_resumed"] == round_ + 1, "it is back")
        out, _ = mesh.ctl(a, "req", "py", "Bob")
        check(out == "hello Bob, this is Python\n", f"it still serves: {out!r}")
        check(state_of(mesh, a, session) == "active", "under the same id")
        check(mesh.counters(a)["sessions_unrecovered"] == 0, "with nothing lost")
        server.signal(signal.SIGINT)
        server.wait_exit()


if __name__ == "__main__":
    run_tests([connections_that_break_at_any_byte_lose_and_double_nothing,
               all_at_once_return_all_at_once,
               a_wrong_token_and_an_unknown_id_are_refused_alike,
               a_killed_client_is_noticed_at_once_and_closed_when_its_time_is_over,
               a_node_may_grant_no_time_at_all,
               one_that_does_not_read_delays_nobody_and_is_bounded,
               ten_thousand_connect_within_moments,
               a_python_client_resumes_from_the_specification])
