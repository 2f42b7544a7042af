"""Error responses: the problems of an error as an answer, and its HTTP status code."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any, get_args

from pydantic import ValidationError

from voicegraph.graph.errors import (
    DeviceError,
    InputError,
    OutputError,
    PipelineError,
    Problem,
    StateError,
    VoicegraphError,
)
from voicegraph.graph.loading.error_wording import code_of, expected_of
from voicegraph.graph.loading.values import describe
from voicegraph.schemas.control import Answer
from voicegraph.schemas.live_command import LiveCommand
from voicegraph.schemas.report import ProblemReport

NOT_FOUND, CONFLICT, INVALID, FAILED, DISK_FULL = 404, 409, 422, 500, 507

_STATUS_OF_CODE = {"no-such-param": NOT_FOUND, "internal": FAILED, "disk-full": DISK_FULL}
_CONFLICTS = (PipelineError, InputError, StateError, DeviceError, OutputError)
"""A request that is valid by the schema, but does not fit the session as it is now."""

_REQUEST_PARTS = {"body", "path", "query"}
_COMMAND_NAMES = {cls.model_fields["do"].default for cls in get_args(get_args(LiveCommand)[0])}
EXAMPLE = '{"do": "mute", "on": true}'


class InvalidError(VoicegraphError):
    """A request that is not a valid command, or a value of the wrong kind."""


def status_of(error: VoicegraphError) -> int:
    """The HTTP status code for an error."""
    if isinstance(error, InvalidError):
        return INVALID
    if isinstance(status := getattr(error, "status", None), int):  # one that says it itself
        return int(status)
    for problem in error.problems:
        if problem.code in _STATUS_OF_CODE:
            return _STATUS_OF_CODE[problem.code]
    return CONFLICT if isinstance(error, _CONFLICTS) else FAILED


def error_response(error: VoicegraphError, command: LiveCommand | None = None) -> Answer:
    """The answer with the problems of an error.

    Args:
        error: what went wrong.
        command: the command that failed, if one was understood.
    """
    problems = [ProblemReport.model_validate(problem.as_dict()) for problem in error.problems]
    return Answer(ok=False, command=command, problems=problems)


def invalid(error: ValidationError) -> InvalidError:
    """Pydantic's validation error with messages for users."""
    return invalid_request(error.errors(include_url=False))


def invalid_request(records: Iterable[Any]) -> InvalidError:
    """As :func:`invalid`, from the error records of pydantic or FastAPI."""
    return InvalidError(_problem(record) for record in records)


def _problem(record: Mapping[str, Any]) -> Problem:
    kind, found = record["type"], record.get("input")
    name = ".".join(_path(record["loc"]))
    at = f"{name}: " if name else ""
    match kind:
        case "json_invalid":
            why = record.get("ctx", {}).get("error", record["msg"])
            return Problem("no-json", f"this is not JSON: {why}", fix=f"for example {EXAMPLE}")
        case "union_tag_not_found":
            return Problem(
                "no-command", "a command needs the key `do`", fix=f"for example {EXAMPLE}"
            )
        case "union_tag_invalid":
            return _unknown_command(record["ctx"])
        case "missing":
            return Problem("missing", f"{name or 'the body'} is missing")
        case "extra_forbidden":
            return Problem("unknown-key", f"there is no key {name}")
    expected = expected_of(record)
    return Problem(code_of(kind), f"{at}expected {expected}, found {describe(found)}")


def _path(loc: Iterable[str | int]) -> list[str]:
    """The keys alone: FastAPI puts the part of the request first, pydantic the command's name."""
    parts = [str(part) for part in loc]
    parts = parts[1:] if parts[:1] and parts[0] in _REQUEST_PARTS else parts
    return parts[1:] if len(parts) > 1 and parts[0] in _COMMAND_NAMES else parts


def _unknown_command(context: Mapping[str, Any]) -> Problem:
    names = [name.strip().strip("'") for name in context["expected_tags"].split(",")]
    close = difflib.get_close_matches(str(context["tag"]), names, 1, 0.4)
    text = f"there is no command {context['tag']!r}; the commands are: {', '.join(names)}"
    return Problem("no-such-command", text, fix=f'"do": "{close[0]}"' if close else None)
