"""The same as filter_commands.py with 20,000 sessions, 10,000 of which match. For a machine with
nothing else to do: nodes that get no CPU for seconds are held dead, and rightly not complete."""

import os
import sys

sys.path.insert(0, os.path.dirname(__file__))
from _directory import crowd_size  # noqa: E402
from _filter_commands import close_exactly, close_with_one_stopped  # noqa: E402
from _mesh import run_tests  # noqa: E402


def exactly_those_who_match_are_closed(mesh):
    close_exactly(mesh, crowd_size(20000))


def a_node_that_stands_still_is_named(mesh):
    close_with_one_stopped(mesh, crowd_size(20000))


run_tests([exactly_those_who_match_are_closed, a_node_that_stands_still_is_named])
