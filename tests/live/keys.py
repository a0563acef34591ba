"""Keys: who has none, a strange one or one of the wrong folder gets in nowhere, changes nothing and
is counted; what passes on the wire shows nothing; a key that is taken away ends what it opened."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(__file__))
from _keys import Keys, Recorder, ctl, state  # noqa: E402
from _mesh import BIN, check, run_tests, wait_until  # noqa: E402

MANUAL = ("rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6")


def serve(mesh, node, path, value):
    stream = mesh.run("reply", [os.path.join(BIN, "weftctl"), "-s", node.clients, "reply", path,
                                value])
    stream.wait_log(r"weftctl: ready")
    return stream


def a_mesh_with_keys_works_like_one_without(mesh):
    keys = Keys(mesh, "a", "b", "c")
    a, b, c = keys.trio()
    serve(mesh, b, "greet", "hello")
    check(mesh.ctl(c, "req", "--wait", "10s", "greet")[0] == "hello\n", "a request crosses")
    for node in (a, b, c):
        counters = mesh.counters(node)
        check(counters["keys_refused"] == 0 and counters["frames_wrong_owner"] == 0,
              f"nobody is refused at {node.name}: {counters}")
        check(f"keys own=" in node.log() and " insecure " not in node.log(), "says its keys")


def strangers_are_refused_on_every_port(mesh):
    keys = Keys(mesh, "a", "b")
    a = keys.start("a")
    b = keys.start("b", seeds=[a])
    mesh.wait_agreed(a, b)
    before = state(mesh, a)
    first = mesh.counters(a)
    keys.make("stranger")
    keys.make("ana", "clients")
    mesh.start("plain", seeds=[a])
    keys.start("stranger", seeds=[a])
    keys.start("ana", seeds=[a])  # a client's key, as a node's
    for node in mesh.processes[-3:]:
        node.wait_log(r" link-failed ")
        node.wait_log(r" alone seeds=1")
    for key, server_key, says in (
            (None, None, "wants keys"),
            (keys.secret("stranger"), keys.path("peers"), "does not take our key"),
            (keys.secret("b"), keys.path("peers"), "does not take our key"),  # a node's key
            (keys.secret("ana"), keys.public("stranger"), "none of the server keys")):
        environment = {k: v for k, v in os.environ.items() if not k.startswith("WEFT_KEY")
                       and not k.startswith("WEFT_SERVER_KEY")}
        line = [os.path.join(BIN, "weftctl"), "-s", a.clients, "-t", "5s", "node", "ls"]
        line += ["--key", key, "--server-key", server_key] if key else []
        done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=60,
                              check=False)
        check(done.returncode == 1 and says in done.stderr, f"{line}: {done.stderr}")
    check(state(mesh, a) == before, "nobody's table has changed")
    check(mesh.members(a) == {"a": "alive", "b": "alive"}, "and nobody has joined")
    last = mesh.counters(a)
    check(last["keys_refused"] - first["keys_refused"] >= 4, f"strange keys are counted: {last}")
    check(last["connections_failed"] > first["connections_failed"] + 4, "and failed handshakes")
    wait_until(lambda: " keys-refused " in a.log(), "the log says so")


def the_wire_shows_nothing(mesh):
    keys = Keys(mesh, "a")
    words = ("private/path", "private-value", "private-answer", "private-property")
    for is_plain in (True, False):
        node = mesh.start("plain") if is_plain else keys.start("a")
        saved = {} if not is_plain else {k: os.environ.pop(k) for k in
                                         ("WEFT_KEY", "WEFT_SERVER_KEY")}
        with Recorder(node.clients) as proxy:
            mesh.wait_ready(node)
            server = [os.path.join(BIN, "weftctl"), "-s", proxy.address]
            reply = mesh.run("reply", server + ["reply", words[0], words[2]])
            reply.wait_log(r"weftctl: ready")
            ctl(proxy.address, "--prop", "key=" + words[3], "req", words[0], words[1], code=0)
            seen = proxy.sent + proxy.answered
        os.environ.update(saved)
        check(len(seen) > 500, "the exchange was seen")
        for word in words:
            check((word.encode() in seen) == is_plain, f"{word} is {'not ' * is_plain}hidden")


def a_stream_that_is_replayed_or_changed_opens_nothing(mesh):
    keys = Keys(mesh, "a")
    a = keys.start("a")
    mesh.wait_ready(a)
    with Recorder(a.clients) as proxy:
        ctl(proxy.address, "session", "ls", code=0)
        recorded = proxy.sent
    before, first = state(mesh, a), mesh.counters(a)
    with socket.create_connection(("127.0.0.1", a.port("clients")), timeout=10) as sock:
        sock.sendall(recorded)
        while sock.recv(65536):
            pass  # the node hangs up: the handshake was another one
    # In the handshake (its HELLO, its INITIATE), and in what follows it.
    for flip_at in (64 + 100, 64 + 202 + 100, 700):
        with Recorder(a.clients, flip_at=flip_at) as proxy:
            ctl(proxy.address, "session", "ls")
            check(proxy.flip_at is None, f"a bit of byte {flip_at} was flipped")
    last = mesh.counters(a)
    check(last["connections_failed"] >= first["connections_failed"] + 3,
          f"failed handshakes are counted: {first} {last}")
    wait_until(lambda: state(mesh, a) == before, "what broke off leaves nothing behind")


def a_revoked_clients_session_ends(mesh):
    keys = Keys(mesh, "a")
    keys.make("ana", "clients")
    a = keys.start("a")
    mesh.wait_ready(a)
    stream = mesh.run("ana", [os.path.join(BIN, "weftctl"), "-s", a.clients, "-o", "jsonl", "--key",
                              keys.secret("ana"), "session", "open"])
    stream.wait_log(r"weftctl: ready")
    keys.revoke("clients", "ana")
    started = time.monotonic()
    a.signal(signal.SIGHUP)
    wait_until(lambda: "access_denied" in stream.out(), "the session ends, and its client is told")
    print(f"  a revoked client's session ended {1000 * (time.monotonic() - started):.0f} ms after "
          "SIGHUP")
    check(stream.wait_exit() == 1, "the client ends")
    check(mesh.counters(a)["keys_revoked"] == 1, "it is counted")
    _, _, error = ctl(a.clients, "node", "ls", key=keys.secret("ana"), code=1)
    check("does not take our key" in error, f"it does not come back: {error}")
    mesh.ctl(a, "node", "ls")  # the others stay


def a_revoked_node_is_out_and_stays_out(mesh):
    keys = Keys(mesh, "a", "b", "c")
    a, b, c = keys.trio()
    shutil.copytree(keys.path("peers"), keys.path("peers-before"))
    keys.revoke("peers", "c")
    for node in (a, b):
        node.signal(signal.SIGHUP)
    for node in (a, b):
        mesh.wait_members(node, {"a": "alive", "b": "alive", "c": "dead"})
    check(mesh.counters(a)["keys_revoked"] >= 2, "links both ways are counted")
    c.signal(signal.SIGTERM)
    c.wait_exit()
    again = mesh.start("c", "--key", keys.secret("c"), "--peers", keys.path("peers-before"),
                       "--clients", keys.path("clients"), seeds=[a, b])
    again.wait_log(r" link-failed .*does not take our key")
    again.wait_log(r" alone seeds=2")
    check(mesh.members(a)["c"] == "dead" and mesh.members(b)["c"] == "dead", "it is not back")


def a_node_speaks_only_under_its_own_name(mesh):
    keys = Keys(mesh, "a", "b")
    spawned = mesh.spawn("other", *keys.words("b"))
    check(spawned.wait_exit() == 2 and "has the name of its key" in spawned.log(),
          f"says why: {spawned.log()}")
    # Somebody who has b's key and writes another name into the file is refused by the others.
    with open(keys.secret("b")) as file:
        text = file.read().replace('"b"', '"x"')
    path = keys.path("own", "x.key_secret")
    with open(os.open(path, os.O_CREAT | os.O_WRONLY, 0o600), "w") as file:
        file.write(text)
    a = keys.start("a")
    forged = mesh.start("x", "--key", path, "--peers", keys.path("peers"), "--clients", "any",
                        seeds=[a])
    a.wait_log(r" refused .*the key is that of b")
    forged.wait_log(r" refused .*the key is that of b")
    check(mesh.members(a) == {"a": "alive"}, "it is no member")
    check(mesh.counters(a)["frames_wrong_owner"] > 0, "and is counted")


def bad_keys_and_half_a_configuration_end_a_start(mesh):
    keys = Keys(mesh, "a")

    def refused(says, *words):
        node = mesh.spawn("a", *words)
        check(node.wait_exit() == 2 and says in node.log(), f"{words} -> {says}: {node.log()}")

    refused("without curve.peers curve.clients", "--key", keys.secret("a"))
    refused("without curve.key_file", "--peers", keys.path("peers"), "--clients", "any")
    os.chmod(keys.secret("a"), 0o644)
    refused("chmod 600", *keys.words("a"))
    os.chmod(keys.secret("a"), 0o600)
    refused("cannot read the folder", "--key", keys.secret("a"), "--peers",
            keys.path("nowhere"), "--clients", "any")
    with open(keys.path("peers", "manual.key"), "w") as file:
        file.write(f'curve\n    public-key = "{MANUAL[0]}"\n')
    refused("test key of libzmq's manual", *keys.words("a"))
    os.remove(keys.path("peers", "manual.key"))
    refused('"curve": {"key_file"', "--host", "0.0.0.0")
    refused('"permissions"', "--host", "0.0.0.0", *keys.words("a"))
    check(subprocess.run([os.path.join(BIN, "weftd"), *keys.words("a"), "--check-config"],
                         capture_output=True, check=False).returncode == 0, "and this is good")


def a_reload_with_a_bad_file_changes_nothing(mesh):
    keys = Keys(mesh, "a")
    a = keys.start("a")
    mesh.wait_ready(a)
    with open(keys.path("clients", "half.key"), "w") as file:
        file.write("curve\n    public-key = \"half of")
    a.signal(signal.SIGHUP)
    a.wait_log(r" reload-failed .*half\.key")
    mesh.ctl(a, "node", "ls")
    os.remove(keys.path("clients", "half.key"))
    keys.make("new", "clients")
    a.signal(signal.SIGHUP)
    a.wait_log(r" reloaded ")
    ctl(a.clients, "node", "ls", key=keys.secret("new"), code=0)


def any_client_comes_in_where_the_chain_decides(mesh):
    keys = Keys(mesh, "a")
    a = keys.start("a", clients="any")
    mesh.wait_ready(a)
    keys.make("passer-by")
    ctl(a.clients, "node", "ls", key=keys.secret("passer-by"), code=0)
    key = os.environ.pop("WEFT_KEY")
    mesh.ctl(a, "node", "ls")  # a pair made for the occasion
    os.environ["WEFT_KEY"] = key
    _, _, error = ctl(a.clients, "node", "ls", key=keys.secret("passer-by"),
                      server_key=keys.public("passer-by"), code=1)
    check("none of the server keys" in error, f"not to a node with another key: {error}")


def a_clients_key_is_its_principal(mesh):
    keys = Keys(mesh, "a")
    keys.make("ana", "clients", "--roles", "trader,guest")
    a = keys.start("a", "--set", "auth.chain=curve", "--set",
                   'permissions={"*": ["view_session"], "trader": ["view_mesh"]}')
    mesh.wait_ready(a)
    _, out, _ = ctl(a.clients, "-o", "json", "session", "ls", "--keys", "$Principal,$Roles",
                    key=keys.secret("ana"), code=0)
    held = [s["properties"] for s in json.loads(out)["sessions"]]
    check({"$Principal": "ana", "$Roles": '"guest","trader"'} in held, f"by its key: {held}")
    ctl(a.clients, "node", "ls", key=keys.secret("ana"), code=0)
    _, _, error = ctl(a.clients, "node", "ls", code=1)  # ops, who is no trader
    check("ACCESS_DENIED" in error, f"another key has its own roles: {error}")
    _, _, error = ctl(a.clients, "--user", "bob", "node", "ls", key=keys.secret("ana"), code=1)
    check("ACCESS_DENIED" in error, f"a key is no proof of another name: {error}")


run_tests([
    a_mesh_with_keys_works_like_one_without,
    strangers_are_refused_on_every_port,
    the_wire_shows_nothing,
    a_stream_that_is_replayed_or_changed_opens_nothing,
    a_revoked_clients_session_ends,
    a_revoked_node_is_out_and_stays_out,
    a_node_speaks_only_under_its_own_name,
    bad_keys_and_half_a_configuration_end_a_start,
    a_reload_with_a_bad_file_changes_nothing,
    any_client_comes_in_where_the_chain_decides,
    a_clients_key_is_its_principal,
])
