"""Limits as typed on the command line."""

from __future__ import annotations

import pytest

from voicegraph.app.control.limits import parse_limits
from voicegraph.app.control.options import ControlOptions
from voicegraph.graph.errors import VoicegraphError
from voicegraph.schemas.control import ControlLimits


def test_given_limits_replace_the_defaults() -> None:
    found = parse_limits(["connections=64", "request_s = 2.5", "connections=65"])
    assert found == ControlLimits(connections=65, request_s=2.5)


def test_all_mistakes_are_told_together() -> None:
    with pytest.raises(VoicegraphError) as caught:
        parse_limits(
            ["conections=64", "request_s=soon", "body_bytes=1", "token_s", "osc_packets=1.5"]
        )
    assert [(problem.message, problem.fix) for problem in caught.value.problems] == [
        (
            "--control-limit: there is no limit 'conections'; the limits are: "
            + ", ".join(ControlLimits.model_fields),
            "--control-limit connections=64",
        ),
        ("--control-limit: expected NAME=NUMBER, found 'token_s'", "--control-limit token_s=5"),
        (
            "--control-limit: request_s: expected a number, found 'soon'",
            "--control-limit request_s=10",
        ),
        (
            "--control-limit: body_bytes: expected at least 1024, found '1'",
            "--control-limit body_bytes=65536",
        ),
        (
            "--control-limit: osc_packets: expected a whole number, found '1.5'",
            "--control-limit osc_packets=2000",
        ),
    ]


def test_limits_without_an_interface_are_an_error() -> None:
    with pytest.raises(VoicegraphError) as caught:
        ControlOptions(limits=ControlLimits(connections=5))
    assert [problem.fix for problem in caught.value.problems] == ["--http 127.0.0.1:8765"]
