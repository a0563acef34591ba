"""The same as publishing.py with more of everything. For a machine with nothing else to do."""

import json
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _mesh import BIN, check, run_tests  # noqa: E402
from _topics import join_with_topics, kill_sequencer, race  # noqa: E402


def ten_thousand_subscriptions_race_with_updates(mesh):
    race(mesh, 10000)


def a_thousand_subscribers_on_each_of_three_nodes_miss_nothing(mesh):
    nodes = mesh.trio()
    load = mesh.run("weftbench", [
        os.path.join(BIN, "weftbench"), "pubsub", "-s", ",".join(n.clients for n in nodes), "-c",
        "3000", "--procs", "3", "-r", "20", "-d", "20s", "--json", "-"])
    check(load.wait_exit(240) == 0, "every check holds")
    report = json.loads(load.out())
    check(report["receipts"]["received"] == 3000 * report["sent"] and
          not any(report["checks"].values()), f"no loss, order right: {report}")
    print(f"  {report['receipts']['per_s']:.0f} deliveries/s, p99 "
          f"{report['latency_us']['p99']:.0f} us")


def sequencers_are_killed_fifty_times(mesh):
    kill_sequencer(mesh, 50)


def a_joiner_is_ready_with_a_hundred_thousand_topics(mesh):
    join_with_topics(mesh, 100000)


run_tests([ten_thousand_subscriptions_race_with_updates,
           a_thousand_subscribers_on_each_of_three_nodes_miss_nothing,
           sequencers_are_killed_fifty_times, a_joiner_is_ready_with_a_hundred_thousand_topics])
