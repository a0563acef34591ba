"""A million requests while a random node is killed every 10 s."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _chaos import Chaos  # noqa: E402
from _mesh import run_tests  # noqa: E402


def a_million_requests_have_one_true_outcome_each(mesh):
    Chaos(mesh, 11).run(1000000, kills=20, kill_every_s=10, in_flight=32)


run_tests([a_million_requests_have_one_true_outcome_each])
