"""How a session ended, in a file for the program that started it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from voicegraph.graph.errors import OutputError, Problem, VoicegraphError

from ._failures import problem_reports
from ._startup import not_installed

if TYPE_CHECKING:
    from voicegraph.schemas.report import ProblemReport


@contextmanager
def end_report(path: Path | None) -> Iterator[None]:
    """Writes how the ``with`` block ended; a report of an earlier session is removed first.

    Raises:
        OutputError: if there is a file of another kind; what the block raised goes on.
    """
    if path is None:
        yield
        return
    _remove_earlier(path)
    problems: list[ProblemReport] = []
    try:
        yield
    except KeyboardInterrupt:
        raise  # Ctrl-C, as good an end as any
    except VoicegraphError as error:
        problems = problem_reports(error)
        raise
    except BaseException as error:
        problems = problem_reports(_as_voicegraph_error(error))
        raise
    finally:
        _write(path, problems)


def _as_voicegraph_error(error: BaseException) -> VoicegraphError:
    """A package that is missing, or a bug in this program."""
    if isinstance(error, ModuleNotFoundError) and (missing := not_installed(error)) is not None:
        return missing
    return VoicegraphError(Problem("internal", f"{type(error).__name__}: {error}"))


def _remove_earlier(path: Path) -> None:
    from pydantic import ValidationError

    from voicegraph.schemas.live_end import LiveEnd

    try:
        LiveEnd.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return
    except (OSError, ValidationError):
        text = f"{path} exists, and is no file of --end-report"
        raise OutputError(Problem("exists", text, fix="give another name, or remove it")) from None
    path.unlink()


def _write(path: Path, problems: list[ProblemReport]) -> None:
    """A report that cannot be written must not hide what ended the session."""
    from voicegraph.graph.files.atomic_write import write_text
    from voicegraph.schemas.live_end import LiveEnd

    made = LiveEnd(ok=not problems, pid=os.getpid(), ended_unix_s=time.time(), problems=problems)
    with suppress(OutputError):
        write_text(path, made.model_dump_json(indent=2) + "\n", force=True, durable=False)
