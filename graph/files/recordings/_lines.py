"""The lines of a recording as validated models; every mistake with its line and column."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from pydantic import ValidationError

from voicegraph.schemas.recorded_events import ParamEvent, RecordedEvent, SwapEvent, event_model
from voicegraph.schemas.recording import FORMAT, RecordingHeader

from ...errors import Mark, Problem, Problems, StateError
from ...loading.error_wording import expected_of
from ...regular_file import open_regular, read_failure, shortened
from ...runtime.param_values import from_json
from ._json_places import column_of

_LONGEST_LINE = 1 << 26
"""Bytes of a line (64 MiB); a pipeline with its values takes some thousands."""
_LARGEST_FILE = 1 << 30
"""Bytes of all lines (1 GiB): some ten million events."""
_MOST_PROBLEMS = 20
_Model = TypeVar("_Model", RecordingHeader, RecordedEvent)
_FIX = "give the .jsonl file that `--record` wrote"


def read_lines(path: Path) -> tuple[RecordingHeader, list[RecordedEvent]]:
    """Header and events. A last line without a line end, left by a crash, is ignored.

    Raises:
        StateError: if the file cannot be read or is not a recording; with every wrong value.
    """
    problems = Problems(StateError)
    try:
        with open_regular(path) as file:
            lines = _whole_lines(path, file)
            header = _header(path, next(lines, None), problems)
            events = [_event(path, at, line, problems) for at, line in enumerate(lines, 2)]
    except OSError as error:
        text = f"{shortened(path)} is not a recording: {read_failure(error)}"
        raise StateError(Problem("no-recording", text, fix=_FIX)) from None
    problems.raise_if_any()
    assert header is not None
    return header, [event for event in events if event is not None]


def _whole_lines(path: Path, file: BinaryIO) -> Iterator[str]:
    read = 0
    for at, raw in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
        read += len(raw)
        if not raw.endswith(b"\n"):
            if len(raw) == _LONGEST_LINE:
                raise _error(path, at, 1, f"a line of more than {_LONGEST_LINE >> 20} MiB")
            return
        if read > _LARGEST_FILE:
            raise _error(path, at, 1, f"more than {_LARGEST_FILE >> 20} MiB of lines")
        try:
            yield raw.rstrip(b"\r\n").decode("utf-8")
        except UnicodeDecodeError as error:
            raise _error(path, at, error.start + 1, "a byte that is not text (UTF-8)") from None


def _header(path: Path, line: str | None, problems: Problems) -> RecordingHeader | None:
    if line is None:
        text = f"{shortened(path)} is not a recording: it is empty"
        raise StateError(Problem("no-recording", text, fix=_FIX))
    values = _values(path, 1, line)
    if not isinstance(values, dict) or values.get("format") != FORMAT:
        raise _error(path, 1, 1, _other_format(values))
    found = _validated(path, 1, line, RecordingHeader, values, problems)
    if found is not None and found.document is not None:
        _require_values(path, 1, line, found.document, "document", problems)
    return found


def _other_format(header: object) -> str:
    said = header.get("format") if isinstance(header, dict) else None
    if isinstance(said, str) and said.startswith("voicegraph-recording-"):
        return f"its format is {said:.60}, but this version reads {FORMAT}"
    return f"its first line is not that of {FORMAT}"


def _event(path: Path, at: int, line: str, problems: Problems) -> RecordedEvent | None:
    values = _values(path, at, line)
    if not isinstance(values, dict) or len(values) < 2:
        raise _error(path, at, 1, 'expected an event such as {"tick": 3, "reset": true, ...}')
    event = _validated(path, at, line, event_model(values), values, problems)
    if isinstance(event, ParamEvent):
        value = _require_values(path, at, line, event.value, "value", problems)
        return event.model_copy(update={"value": value})
    if isinstance(event, SwapEvent):
        changes = _require_values(path, at, line, event.exchange, "exchange", problems)
        document = _require_values(path, at, line, event.document, "document", problems)
        return event.model_copy(update={"exchange": changes, "document": document})
    return event


def _values(path: Path, at: int, line: str) -> Any:
    try:
        return json.loads(line)
    except json.JSONDecodeError as error:
        raise _error(path, at, error.colno, f"this is not JSON: {error.msg}") from None
    except RecursionError:
        raise _error(path, at, 1, "values inside values, more deeply than any pipeline") from None
    except ValueError as error:  # a number of thousands of digits
        raise _error(path, at, 1, str(error).partition(";")[0]) from None


def _require_values(
    path: Path, at: int, line: str, values: Any, key: str, problems: Problems
) -> Any:
    """The values of a key with exact fractions, which are objects in JSON."""
    try:
        return from_json(values)
    except ValueError as error:
        problems.found.append(_problem(path, at, column_of(line, [key]), f"{key}: {error}"))
    except RecursionError:
        text = f"{key}: values inside values, more deeply than any pipeline"
        problems.found.append(_problem(path, at, column_of(line, [key]), text))
    return values


def _validated(
    path: Path, at: int, line: str, model: type[_Model], values: dict[str, Any], problems: Problems
) -> _Model | None:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        for record in error.errors(include_url=False):
            if len(problems.found) < _MOST_PROBLEMS:
                column = column_of(line, record["loc"])
                problems.found.append(_problem(path, at, column, _wording(record)))
        return None


def _wording(record: Any) -> str:
    where = ".".join(str(part) for part in record["loc"])
    if record["type"] == "missing":
        return f"`{where}` is missing"
    if record["type"] == "extra_forbidden":
        return f"`{where:.100}` is no key of this version"
    if record["type"] == "value_error":
        said = str(record["ctx"]["error"])
        return f"{where} is wrong: {said}" if where else said
    return f"{where} is {_shown(record['input'])}, expected {expected_of(record)}"


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= 60 else f"{text[:60]}..."


def _problem(path: Path, line: int, column: int, why: str) -> Problem:
    text = f"this is not a recording that can be replayed: {why}"
    return Problem("no-recording", text, Mark(shortened(path), line, column), fix=_FIX)


def _error(path: Path, line: int, column: int, why: str) -> StateError:
    return StateError(_problem(path, line, column, why))
