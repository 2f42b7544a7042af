"""Fixes that are whole commands."""

from __future__ import annotations

import os

import pytest

from voicegraph.app.cli._typed_again import with_command
from voicegraph.graph.errors import Mark, Problem

UNKNOWN = Problem("unknown-experiment", "no shipped experiment is called 'nois'", fix="noise")
POSIX = pytest.mark.skipif(os.name == "nt", reason="quotes of POSIX shells")


@POSIX
def test_wrong_name_is_replaced_in_what_was_typed() -> None:
    typed = ["experiment", "run", "nois", "--set", "title=a b"]
    found = with_command(UNKNOWN, typed).fix
    assert found == "voicegraph experiment run noise --set 'title=a b'"


def test_path_of_what_is_shipped_is_replaced() -> None:
    missing = Problem("no-such-file", "there is no file x/noise.yaml", fix="noise")
    typed = ["experiment", "check", "x/noise.yaml"]
    assert with_command(missing, typed).fix == "voicegraph experiment check noise"


@pytest.mark.parametrize(
    ("problem", "arguments"),
    [
        (Problem("x", "y", fix="two words"), ["check", "nois"]),
        (Problem("x", "y"), ["check", "nois"]),
        (UNKNOWN, ["check", "nois", "nois"]),
        (UNKNOWN, ["check", "others"]),
        (Problem(UNKNOWN.code, UNKNOWN.message, Mark("a.yaml", 1, 1), fix="noise"), ["nois"]),
    ],
)
def test_other_fixes_stay(problem: Problem, arguments: list[str]) -> None:
    assert with_command(problem, arguments) is problem
