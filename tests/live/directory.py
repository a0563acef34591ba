"""Every node knows every session: 20,000 on five nodes, a crash, a newcomer."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _directory import crash_and_join, crowd_size  # noqa: E402
from _mesh import run_tests  # noqa: E402


def directories_are_right_after_a_crash_and_a_join(mesh):
    # A pattern's steps must not suffice for the sessions of one node: at least 400 each.
    crash_and_join(mesh, crowd_size(20000, fewest=2500))


run_tests([directories_are_right_after_a_crash_and_a_join])
