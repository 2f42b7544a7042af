"""Problems of errors as reports, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.schemas.report import ProblemReport


def problem_reports(error: VoicegraphError) -> list[ProblemReport]:
    """The problems of an error, for an answer."""
    return [ProblemReport.model_validate(problem.as_dict()) for problem in error.problems]


def problems_of(
    reports: Iterable[ProblemReport], names: Mapping[str, str] | None = None
) -> list[Problem]:
    """Problems that another process has reported.

    Args:
        reports: what it said.
        names: paths that only this machine knows -> what people call them.
    """

    def named(text: str) -> str:
        for path, name in (names or {}).items():
            text = text.replace(path, name)
        return text

    return [
        Problem(
            report.code,
            named(report.message if report.where is None else f"{report.where}  {report.message}"),
            notes=tuple((named(note), None) for note in report.notes),
            fix=report.fix and named(report.fix),
        )
        for report in reports
    ]


def raise_problems(
    reports: Iterable[ProblemReport], names: Mapping[str, str] | None = None
) -> None:
    """Raises the problems that another process has reported.

    Args:
        reports: what it said.
        names: as of :func:`problems_of`.

    Raises:
        StateError: if there are any.
    """
    if found := problems_of(reports, names):
        raise StateError(found)
