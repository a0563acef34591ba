"""Requests while one node after the other is killed, in short; long_chaos.py goes on."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _chaos import Chaos  # noqa: E402
from _mesh import run_tests  # noqa: E402


def requests_have_one_true_outcome_while_nodes_are_killed(mesh):
    Chaos(mesh, 7).run(12000, kills=2, kill_every_s=0.7, in_flight=16)


run_tests([requests_have_one_true_outcome_while_nodes_are_killed])
