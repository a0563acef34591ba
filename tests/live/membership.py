"""A crashed node is known to all; a node that only pauses is not taken for dead."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _membership import crash_again_and_again, stop_again_and_again  # noqa: E402
from _mesh import run_tests  # noqa: E402


def a_crash_is_known_to_all(mesh):
    crash_again_and_again(mesh, nodes=8, times=4)


def a_pause_under_load_is_no_death(mesh):
    stop_again_and_again(mesh, nodes=8, times=5, busy_s=8)


run_tests([a_crash_is_known_to_all, a_pause_under_load_is_no_death])
