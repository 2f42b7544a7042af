"""The other side of :class:`.call_process.CallProcess`: answers calls until its input ends."""

from __future__ import annotations

import os
import pickle
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from voicegraph.graph import errors
from voicegraph.graph.errors import Problem, VoicegraphError


def serve_calls(functions: Mapping[str, Callable[..., Any]]) -> None:
    """Answers calls from standard input until it ends; runs in a process of its own.

    What the functions print goes to standard error: standard output carries the answers.

    Args:
        functions: by name.
    """
    calls = sys.stdin.buffer
    with os.fdopen(os.dup(sys.stdout.fileno()), "wb") as answers:
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
        while True:
            try:
                name, arguments = pickle.load(calls)
            except (EOFError, OSError):
                return
            with suppress(BrokenPipeError):  # nobody waits for it any more
                pickle.dump(_answer(functions[name], arguments), answers)
                answers.flush()


def _answer(function: Callable[..., Any], arguments: Sequence[Any]) -> tuple[bool, Any]:
    """Whether it went well, and the result or the error."""
    try:
        return True, function(*arguments)
    except VoicegraphError as error:
        return False, _plain(error)
    except Exception as error:
        return False, VoicegraphError(Problem("internal", f"{type(error).__name__}: {error}"))


def _plain(error: VoicegraphError) -> VoicegraphError:
    """The error as one of ``graph/errors.py``: other classes may need modules with PyTorch."""
    known = (kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
    return next(known)(error.problems)
