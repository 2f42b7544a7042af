"""Problems of errors as reports, and back."""

from __future__ import annotations

from collections.abc import Iterable

from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.schemas.report import ProblemReport


def problem_reports(error: VoicegraphError) -> list[ProblemReport]:
    """The problems of an error, for an answer."""
    return [ProblemReport.model_validate(problem.as_dict()) for problem in error.problems]


def problems_of(reports: Iterable[ProblemReport]) -> list[Problem]:
    """Problems that another process has reported."""
    return [
        Problem(
            report.code,
            report.message if report.where is None else f"{report.where}  {report.message}",
            notes=tuple((note, None) for note in report.notes),
            fix=report.fix,
        )
        for report in reports
    ]


def raise_problems(reports: Iterable[ProblemReport]) -> None:
    """Raises the problems that another process has reported.

    Raises:
        StateError: if there are any.
    """
    if found := problems_of(reports):
        raise StateError(found)
