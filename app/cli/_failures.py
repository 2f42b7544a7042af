"""Reports of files that failed, and the exit code of several failures."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from voicegraph.graph.errors import VoicegraphError

if TYPE_CHECKING:
    from voicegraph.schemas.file_report import FailedFile
    from voicegraph.schemas.report import ProblemReport


def common_code(errors: Iterable[VoicegraphError]) -> int:
    """The exit code of several errors: theirs if they agree, else 1; 0 if there is none."""
    codes = {error.exit_code for error in errors}
    return codes.pop() if len(codes) == 1 else min(len(codes), 1)


def failed_file(path: Path, error: VoicegraphError) -> FailedFile:
    """The report of a file that failed."""
    from voicegraph.schemas.file_report import FailedFile

    return FailedFile(
        path=str(path),
        error=type(error).__name__,
        exit_code=error.exit_code,
        problems=problem_reports(error),
    )


def problem_reports(error: VoicegraphError) -> list[ProblemReport]:
    """The problems of an error, for ``--json``."""
    from voicegraph.schemas.report import ProblemReport

    return [ProblemReport.model_validate(problem.as_dict()) for problem in error.problems]
