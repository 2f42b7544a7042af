"""Errors that users can act on: the place, what was expected and found, the cause, and a fix.

A phase collects :class:`Problem` values and raises them together, so that all mistakes of a file
can be corrected at once.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from .terminal_text import printable


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """A place in a source: a file with line and column (from 1), or another origin by name.

    ``Mark("rvc.yaml", 9, 30)`` prints as ``rvc.yaml:9:30``; ``Mark("--set seed")`` as itself.
    """

    source: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.source}:{self.line}:{self.column}" if self.line else self.source


@dataclass(frozen=True, slots=True)
class Problem:
    """One mistake.

    Attributes:
        code: a stable short name for programs, such as ``unknown-node``.
        message: one sentence that says what was expected and what was found.
        mark: the place in a file or an override, if there is one.
        notes: further lines that explain the cause, each with the place it refers to or None.
        fix: what to type to correct it.
    """

    code: str
    message: str
    mark: Mark | None = None
    notes: tuple[tuple[str, Mark | None], ...] = ()
    fix: str | None = None

    def __str__(self) -> str:
        head = f"{self.mark}  {self.message}" if self.mark else self.message
        lines = [printable(head)]
        for text, mark in self.notes:
            lines.append(printable(f"    {text}" + (f"   ({mark})" if mark else "")))
        if self.fix:
            first, *more = map(printable, self.fix.split("\n"))
            lines.append(f"  fix: {first}")
            lines.extend(f"       {line}" for line in more)
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """The problem as JSON values, for ``--json``."""
        return {
            "code": self.code,
            "message": self.message,
            "where": str(self.mark) if self.mark else None,
            "line": self.mark.line if self.mark and self.mark.line else None,
            "column": self.mark.column if self.mark and self.mark.line else None,
            "notes": [text if not mark else f"{text} ({mark})" for text, mark in self.notes],
            "fix": self.fix,
        }


class VoicegraphError(Exception):
    """Base of every error that voicegraph raises for a user's mistake or an external failure.

    Attributes:
        problems: everything that was found, without duplicates.
        exit_code: exit status of the command line for this kind of error.
    """

    exit_code = 1

    def __init__(self, problems: Problem | Iterable[Problem]) -> None:
        found = [problems] if isinstance(problems, Problem) else list(problems)
        self.problems: tuple[Problem, ...] = tuple(dict.fromkeys(found))
        super().__init__("\n".join(str(problem) for problem in self.problems))

    def __reduce__(self) -> tuple[Any, ...]:
        """Keeps the problems when an error is pickled for another process."""
        return type(self), (self.problems,)


class PipelineError(VoicegraphError):
    """A pipeline file (or a pipeline built in Python) is wrong."""

    exit_code = 2


class InputError(VoicegraphError):
    """Input audio cannot be used: not audio, empty, NaN."""

    exit_code = 3


class WeightsError(InputError):
    """A model file cannot be used: another kind of file, damaged, hostile, or the wrong model."""


class OutputError(VoicegraphError):
    """A result cannot be written: it exists, the folder is read-only, the disk is full."""

    exit_code = 4


class DeviceError(VoicegraphError):
    """A device that a node or a driver needs is missing."""

    exit_code = 5


class SignalError(VoicegraphError):
    """A running pipeline got values it must not process: NaN, infinity, a wrong shape."""

    exit_code = 6


class NodeFailedError(SignalError):
    """A node of a running pipeline raised an exception, or gave NaN or infinity.

    ``__cause__`` is the exception, if there was one.

    Attributes:
        node: the node's name in the pipeline.
        second: where in the sound, in seconds from its beginning, if it is known.
    """

    def __init__(
        self,
        problems: Problem | Iterable[Problem],
        node: str = "",
        second: float | None = None,
    ) -> None:
        super().__init__(problems)
        self.node = node
        self.second = second

    def __reduce__(self) -> tuple[Any, ...]:
        """Keeps node and place, too, when the error is pickled for another process."""
        return type(self), (self.problems, self.node, self.second)


class StateError(VoicegraphError):
    """A snapshot, a recording or a call does not fit this plan or session."""

    exit_code = 7


class ExportError(VoicegraphError):
    """A network cannot be written for another runtime, or would not compute what its node does."""

    exit_code = 9


class WrongValueError(ValueError):
    """What a validator of params raises, with the value that was probably meant.

    Args:
        text: what was expected.
        better: a right value near the wrong one, in YAML; messages offer it as the fix.
    """

    def __init__(self, text: str, better: str) -> None:
        super().__init__(text)
        self.better = better


@dataclass(slots=True)
class Problems:
    """Collects the problems of one phase and raises them together."""

    error: type[VoicegraphError] = PipelineError
    found: list[Problem] = field(default_factory=list)

    def add(
        self,
        code: str,
        message: str,
        mark: Mark | None = None,
        *,
        notes: Iterable[tuple[str, Mark | None]] = (),
        fix: str | None = None,
    ) -> None:
        """Adds one mistake."""
        self.found.append(Problem(code, message, mark, tuple(notes), fix))

    def raise_if_any(self) -> None:
        """Raises all problems found so far, sorted by place.

        Raises:
            VoicegraphError: of the class ``error``, if there are any.
        """
        if self.found:
            raise self.error(sorted(self.found, key=place_of))


def place_of(problem: Problem) -> tuple[str, int, int]:
    """Where it stands, to sort by: source, line and column."""
    mark = problem.mark
    return (mark.source, mark.line, mark.column) if mark else ("", 0, 0)
