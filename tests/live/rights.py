"""Who may do what: the operator's lists at work, renewed by a HUP, refused when wrong."""

import json
import os
import signal
import subprocess
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, check, run_tests, wait_until  # noqa: E402

# What weftctl asks for, and what it needs.
VERBS = (
    (("session", "ls"), "view_session"),
    (("session", "get", "{id}"), "view_session"),
    (("session", "close", "{id}"), "modify_session"),
    (("node", "ls"), "view_mesh"),
    (("node", "stats"), "view_mesh"),
    (("handler", "ls"), "view_mesh"),
    (("handler", "stats"), "view_mesh"),
    (("cluster", "status"), "view_mesh"),
    (("req", "no/body"), "send_to_handler"),
    (("req", "--to", "{id}", "no/body"), "send_to_session"),
    (("req", "-f", "tier is 'none'", "no/body"), "send_to_session"),
    (("reply", "some/path", "x"), "register_handler"),
    (("events", "--kind", "member"), "view_mesh"),
    (("session", "subscribe", "{id}", "some/topic"), "modify_session"),
)


def write(mesh, name, config):
    path = os.path.join(mesh.folder, name)
    with open(path, "w") as file:
        file.write(config if isinstance(config, str) else json.dumps(config))
    return path


def wait_reloads(node, event, times):
    wait_until(lambda: node.log().count(f" {event} ") == times, f"{times} times {event}")


def reload(mesh, node, path, config):
    done = node.log().count(" reloaded ")
    write(mesh, os.path.basename(path), config)
    node.signal(signal.SIGHUP)
    wait_reloads(node, "reloaded", done + 1)


def denied(mesh, node, words):
    """Whether that is denied; streams that stand are ended."""
    line = [os.path.join(BIN, "weftctl"), "-s", node.clients, "-t", "5s", *words]
    if words[0] in ("reply", "events"):
        stream = mesh.run("stream", line)
        wait_until(lambda: "ready" in stream.log() or stream.process.poll() is not None,
                   f"{words} stands or ends")
        stream.signal(signal.SIGTERM)
        stream.wait_exit()
        said = stream.log()
    else:
        done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False)
        said = done.stderr
        check(done.returncode == 1 or "DENIED" not in said, f"denied is exit 1: {words}: {said}")
    if "DENIED:" not in said:
        return False
    code = "DENIED" if words[0] == "req" else "ACCESS_DENIED"
    check(f"weftctl: {code}: the session has no permission " in said, f"kindly: {said!r}")
    return True


def every_verb_needs_its_permission_and_no_other(mesh):
    path = write(mesh, "a.json", {"permissions": {}})
    a = mesh.start("a", "-c", path)
    mesh.wait_ready(a)
    nobody = "0123456789abcdef-0123456789abcdef"
    for given in (None, "view_session", "modify_session", "view_mesh", "send_to_handler",
                  "send_to_session", "register_handler", "*"):
        reload(mesh, a, path, {"permissions": {"*": [given] if given else []}})
        for words, needs in VERBS:
            words = [nobody if word == "{id}" else word for word in words]
            check(denied(mesh, a, words) == (given not in ("*", needs)),
                  f"with {given}, {' '.join(words)} needs {needs}")
    check(" open " not in a.log(), "permissions are configured")


def an_id_that_is_there_is_denied_like_one_that_is_not(mesh):
    path = write(mesh, "b.json", {"permissions": {"*": ["*"]}})
    a = mesh.start("a")
    b = mesh.start("b", "-c", path, seeds=[a])
    mesh.wait_agreed(a, b)
    held = mesh.ctl_stream(a, "session", "open")
    reload(mesh, b, path, {"permissions": {"*": []}})
    wrong = held.session[:-1] + ("0" if held.session[-1] != "0" else "1")
    said = {mesh.ctl(b, "session", "close", name, code=1)[1] for name in (held.session, wrong)}
    check(len(said) == 1 and "ACCESS_DENIED" in said.pop(), "one answer for both")
    check(held.process.poll() is None, "nothing happened to it")
    out, _ = mesh.ctl(a, "session", "close", held.session)
    held.wait_exit()
    check(out != "", "the other node's lists are its own")


def paths_are_matched(mesh):
    path = write(mesh, "a.json", {"permissions": {
        "*": ["register_handler", "send_to_handler:public/**", "send_to_handler:orders/+/new"]}})
    a = mesh.start("a", "-c", path)
    mesh.wait_ready(a)
    for name in ("public", "orders", "private"):
        mesh.ctl_stream(a, "reply", name, "hi")
    for name in ("public", "public/a/b", "orders/7/new"):
        check(mesh.ctl(a, "req", name)[0] == "hi\n", f"{name} is allowed")
    for name in ("private", "orders", "orders/7", "orders/7/old", "orders/7/new/x", "publicity"):
        _, err = mesh.ctl(a, "req", name, code=1)
        check(f"DENIED: the session has no permission send_to_handler for {name};" in err, err)
    check(mesh.json(a, "req", "private", code=1)["outcome"] == "DENIED", "in JSON too")


def anonymous_sessions_hold_their_roles(mesh):
    path = write(mesh, "a.json", """{ // who is who
        "auth": { "chain": ["anonymous"], "anonymous_roles": ["viewer", "guest"] },
        "permissions": { "viewer": ["view_session"], "guest": ["send_to_handler"] } }""")
    a = mesh.start("a", "-c", path)
    mesh.wait_ready(a)
    rows = mesh.json(a, "session", "ls", "--keys", "$Roles,color")["sessions"]
    check(rows[0]["properties"]["$Roles"] == '"guest","viewer"', f"sorted, in quotes: {rows}")
    _, err = mesh.ctl(a, "node", "ls", code=1)
    check("ACCESS_DENIED" in err, "and nothing else")
    _, err = mesh.ctl(a, "--user", "ada", "session", "ls", code=1)
    check("ACCESS_DENIED" in err and "auth.chain" in err, f"nobody vouches for a name: {err!r}")


def a_hup_takes_rights_away_at_once(mesh):
    path = write(mesh, "a.json", {"permissions": {"*": ["*"]}})
    a = mesh.start("a", "-c", path)
    b = mesh.start("b", seeds=[a])
    mesh.wait_agreed(a, b)
    served = mesh.ctl_stream(a, "reply", "public/x", "stays")
    lost = mesh.ctl_stream(a, "reply", "private/x", "goes")
    events = mesh.ctl_stream(a, "events", "--kind", "member")
    check(mesh.ctl(b, "req", "--wait", "5s", "private/x")[0] == "goes\n", "it serves")
    write(mesh, "a.json", {"permissions": {"*": ["register_handler:private/*"]}})
    a.signal(signal.SIGHUP)
    wait_reloads(a, "reload-failed", 1)
    check("role *, entry register_handler:private/*: the selector must be" in a.log(), a.log())
    check(mesh.ctl(b, "req", "private/x")[0] == "goes\n", "a bad file changes nothing")
    reload(mesh, a, path, {"permissions": {"*": ["register_handler:public/**"]}})
    check("changed=permissions" in a.log() and "needs_restart" not in a.log(), a.log())
    check(lost.wait_exit() == 1 and "ACCESS_DENIED" in lost.log(), lost.log())
    check(events.wait_exit() == 1 and "ACCESS_DENIED" in events.log(), events.log())
    wait_until(lambda: "NO_HANDLER" in mesh.ctl(b, "req", "private/x", code=None)[1],
               "b knows that nobody serves it")
    check(mesh.ctl(b, "req", "public/x")[0] == "stays\n", "what may stay, stays")
    check(served.process.poll() is None, "and its client is not disturbed")
    reload(mesh, a, path, {})
    check(a.log().count(" open ") == 1, "open again, and the log says so")


def open_is_said_and_for_loopback_only(mesh):
    a = mesh.start("a")
    mesh.wait_ready(a)
    check(" warn open why=" in a.log(), f"the log says so: {a.log()}")
    weftd = os.path.join(BIN, "weftd")
    guest = ["--set", "permissions={\"guest\":[\"view_mesh\"]}"]
    chain = ["--set", "auth.chain=anonymous", "--set", "auth.anonymous_roles=guest"]
    outside = [weftd, "--host", "0.0.0.0", "--insecure", "--check-config"]
    for words, lines in (([], ('"auth": {', '"permissions": {')), (chain, ('"permissions": {',)),
                         (guest, ('"auth": {',))):
        tool = mesh.run("weftd", outside + words)
        check(tool.wait_exit() == 2, f"{words}: exit 2")
        for line in ('"auth": {', '"permissions": {'):
            check((line in tool.log()) == (line in lines), f"{words}: what lacks: {tool.log()}")
    tool = mesh.run("weftd", outside + chain + guest)
    check(tool.wait_exit() == 0, f"with both it may start: {tool.log()}")
    tool = mesh.run("weftd", [weftd, "--check-config"] + chain)
    check(tool.wait_exit() == 2 and "nobody could do anything" in tool.log(), tool.log())


def the_lines_that_lack_can_be_pasted(mesh):
    """The error's own lines, put into a file, make a configuration."""
    weftd = os.path.join(BIN, "weftd")
    tool = mesh.run("weftd", [weftd, "--host", "0.0.0.0", "--check-config"])
    check(tool.wait_exit() == 2, "exit 2")
    lines = [line.split("   (")[0].strip() for line in tool.log().splitlines()
             if line.startswith("  \"")]
    check(len(lines) == 3, f"three lines: {tool.log()}")
    path = write(mesh, "pasted.json", "{\"host\": \"0.0.0.0\",\n" + ",\n".join(lines) + "}")
    for folder in ("peers", "clients"):
        os.mkdir(os.path.join(mesh.folder, folder))
    subprocess.run([os.path.join(BIN, "weftctl"), "key", "new", "NAME"], cwd=mesh.folder,
                   check=True, stdout=subprocess.DEVNULL)
    tool = mesh.run("weftd", [weftd, "-c", path, "--check-config"], cwd=mesh.folder)
    check(tool.wait_exit() == 0, f"good: {tool.log()}")


def wrong_lists_name_role_and_entry(mesh):
    weftd = os.path.join(BIN, "weftd")
    for config, mention in (
            ('{"permissions": {"trader": ["view_sesion"]}}', "role trader, entry view_sesion"),
            ('{"permissions": {"trader": ["update:prices/*"]}}', "entry update:prices/*"),
            ('{"permissions": {"trader": ["view_mesh:a"]}}', "takes no selector"),
            ('{"permissions": {"two words": []}, "x": 1}', "unknown key 'x'"),
            ('{"permissions": {"a": "view_mesh"}}', "expected a list"),
            ('{"permissions": {"a": [], "auth": {"b": []}}}', "expected a list"),
            ('{"permissions": {"a": ["*"]}, "auth": {"chain": ["ldap"]}}', "step ldap")):
        path = write(mesh, "wrong.json", config)
        tool = mesh.run("weftd", [weftd, "-c", path, "--check-config"])
        check(tool.wait_exit() == 2 and mention in tool.log(), f"{config}: {tool.log()}")
    path = write(mesh, "good.json", '{"permissions": {"a": ["update:prices/**"]}}')
    tool = mesh.run("weftd", [weftd, "-c", path, "--print-config"])
    check(tool.wait_exit() == 0, "good")
    shown = json.loads(tool.out())["permissions"]
    check(shown["value"] == {"a": ["update:prices/**"]} and shown["from"] == "file", str(shown))
    tool = mesh.run("weftd", [weftd, "--print-config"],
                    env={**os.environ, "WEFT_PERMISSIONS": '{"*": ["view_mesh"]}'})
    check(tool.wait_exit() == 0, "good")
    shown = json.loads(tool.out())["permissions"]
    check(shown["value"] == {"*": ["view_mesh"]} and shown["from"] == "env", str(shown))


if __name__ == "__main__":
    run_tests([every_verb_needs_its_permission_and_no_other,
               an_id_that_is_there_is_denied_like_one_that_is_not, paths_are_matched,
               anonymous_sessions_hold_their_roles, a_hup_takes_rights_away_at_once,
               open_is_said_and_for_loopback_only, the_lines_that_lack_can_be_pasted,
               wrong_lists_name_role_and_entry])
