"""Status codes and messages of errors."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from voicegraph.app.control.error_responses import error_response, invalid, status_of
from voicegraph.graph.errors import (
    DeviceError,
    InputError,
    OutputError,
    PipelineError,
    Problem,
    StateError,
    VoicegraphError,
    WeightsError,
)
from voicegraph.schemas.live_command import COMMANDS, Mute


@pytest.mark.parametrize(
    ("cls", "code", "status"),
    [
        (StateError, "no-such-param", 404),
        (StateError, "value", 409),
        (StateError, "not-live", 409),
        (PipelineError, "unknown-node", 409),
        (InputError, "x", 409),
        (WeightsError, "x", 409),
        (DeviceError, "x", 409),
        (OutputError, "cannot-write", 409),
        (OutputError, "disk-full", 507),
        (VoicegraphError, "internal", 500),
    ],
)
def test_status_code_of_each_kind_of_error(
    cls: type[VoicegraphError], code: str, status: int
) -> None:
    assert status_of(cls(Problem(code, "no"))) == status


def test_error_response_contains_all_problems() -> None:
    problems = [Problem("a", "one", notes=(("why", None),), fix="type this"), Problem("b", "two")]
    answer = error_response(PipelineError(problems), Mute())
    assert not answer.ok
    assert answer.command == Mute()
    assert [(p.code, p.message, p.notes, p.fix) for p in answer.problems] == [
        ("a", "one", ["why"], "type this"),
        ("b", "two", [], None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"do": "mut"}', "there is no command 'mut'; the commands are: set, bypass, swap, "
         "profile, voice, variant, mute, talk, monitor, record, mark, stop"),
        ('{"do": "set", "param": "a.b"}', "value is missing"),
        ('{"do": "mute", "off": 1}', "there is no key off"),
        ('{"do": "mute", "on": []}', "on: expected true or false, found an empty list"),
        ('{"do": "variant", "name": "c"}', "name: expected a, b or other, found 'c'"),
        ("5", "expected a mapping, found 5"),
    ],
)  # fmt: skip
def test_invalid_command_message_for_users(text: str, message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        COMMANDS.validate_json(text)
    (problem,) = invalid(caught.value).problems
    assert problem.message == message
