"""_filter_commands.py - one command for everybody who matches: five nodes, half of the sessions on
trial. Who was closed is asked of those who hold the sessions, not of the mesh."""

import signal

from _directory import Holders, wait_directories
from _mesh import check, wait_until

TRIAL = "tier is 'trial'"


def five_nodes(mesh):
    first = mesh.start("n0")
    nodes = [first] + [mesh.start(f"n{i}", seeds=[first]) for i in range(1, 5)]
    mesh.wait_agreed(*nodes)
    return nodes


def two_tiers(mesh, nodes, count):
    """So many sessions: half of them on trial, half of them not."""
    trial = Holders(mesh, nodes, count // 2, "--prop", "tier=trial")
    gold = Holders(mesh, nodes, count // 2, "--prop", "tier=gold")
    return trial, gold


def close(mesh, node, *words, code=0):
    return mesh.json(node, "session", "close", "-f", TRIAL, "--reason", "the trial is over", *words,
                     code=code)


def check_sums(vector):
    """The totals are the sums over the nodes."""
    for field in ("matched", "applied", "failed"):
        check(vector[field] == sum(node.get(field, 0) for node in vector["nodes"]),
              f"{field} is the sum over the nodes: {vector}")
    check(vector["nodes_asked"] == len(vector["nodes"]), f"each node has its line: {vector}")
    check(len(vector["id"]) >= 16, f"the command has an id: {vector}")


def close_exactly(mesh, count):
    nodes = five_nodes(mesh)
    trial, gold = two_tiers(mesh, nodes, count)
    wait_directories(mesh, nodes, count)
    dry = close(mesh, nodes[1], "--dry-run")
    check(dry["dry_run"] and dry["matched"] == count // 2 and dry["applied"] == 0,
          f"a dry run counts them: {dry}")
    too_many, _ = mesh.ctl(nodes[1], "-o", "json", "session", "close", "-f", TRIAL, "--expect-max",
                           str(count // 2 - 1), code=1)
    check("LIMIT_REACHED" in too_many, f"more than expected: nothing is done: {too_many}")
    wait_directories(mesh, nodes, count)
    vector = close(mesh, nodes[1])
    check(vector["complete"] and vector["nodes_answered"] == 5, f"all answered: {vector}")
    check(vector["matched"] == vector["applied"] == count // 2 and vector["failed"] == 0,
          f"those on trial, and nobody else: {vector}")
    check(all(node["matched"] == count // 10 for node in vector["nodes"]), "a fifth on each")
    check_sums(vector)
    wait_directories(mesh, nodes, count // 2)
    again = close(mesh, nodes[2], code=3)
    check(again["complete"] and again["matched"] == 0, f"closed stays closed: {again}")
    lost, kept = trial.finish()["sessions"], gold.finish()["sessions"]
    check(lost["closed"] == {"closed_by_controller": count // 2} and lost["standing"] == 0,
          f"their clients know why: {lost}")
    check(kept["standing"] == count // 2 and not kept["closed"], f"the others stand: {kept}")
    slowest = max(node["took_us"] for node in vector["nodes"])
    print(f"{count} sessions, 5 nodes: {count // 2} closed by filter; the slowest node took "
          f"{slowest / 1000:.0f} ms")


def close_with_one_stopped(mesh, count):
    nodes = five_nodes(mesh)
    trial, gold = two_tiers(mesh, nodes, count)
    wait_directories(mesh, nodes, count)
    still = nodes[3]
    still.signal(signal.SIGSTOP)
    try:
        vector = close(mesh, nodes[0], "-t", "3s", code=4)
    finally:
        still.signal(signal.SIGCONT)
    check(not vector["complete"] and vector["nodes_asked"] == 5 and vector["nodes_answered"] == 4,
          f"it is not complete: {vector}")
    silent = [node["node"] for node in vector["nodes"] if node.get("error")]
    check(silent == ["n3"], f"and says who did not answer: {vector}")
    check(vector["applied"] == count // 2 - count // 10, f"the others are done: {vector}")
    check_sums(vector)
    for node in nodes:
        mesh.wait_members(node, {f"n{i}": "alive" for i in range(5)})
    # Whether n3 did it after all nobody promised; now it does.
    wait_until(lambda: mesh.json(nodes[0], "session", "close", "-f", TRIAL, code=None)["complete"],
               "with n3 back it is complete")
    wait_directories(mesh, nodes, count // 2)
    lost, kept = trial.finish()["sessions"], gold.finish()["sessions"]
    check(lost["closed"] == {"closed_by_controller": count // 2}, f"all on trial: {lost}")
    check(kept["standing"] == count // 2, f"and nobody else: {kept}")

