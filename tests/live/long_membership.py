"""The same as membership.py with thirty nodes: twenty crashes, twenty pauses in a busy minute."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _membership import crash_again_and_again, stop_again_and_again  # noqa: E402
from _mesh import run_tests  # noqa: E402


def crashes_are_known_to_all(mesh):
    crash_again_and_again(mesh, nodes=30, times=20)


def pauses_under_load_are_no_deaths(mesh):
    stop_again_and_again(mesh, nodes=30, times=20, busy_s=60)


run_tests([crashes_are_known_to_all, pauses_under_load_are_no_deaths])
