"""Problems of errors as reports, and back."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from voicegraph.graph.errors import Problem, StateError, VoicegraphError
from voicegraph.schemas.report import ProblemReport


def problem_reports(error: VoicegraphError) -> list[ProblemReport]:
    """The problems of an error, for an answer."""
    return [ProblemReport.model_validate(problem.as_dict()) for problem in error.problems]


_IN_PAGE = (
    (r"--delay (\d+)ms$", r"choose a constant delay of \1 ms or more on the tab Talk"),
    (r"and play to it: --output (\w+(-\w+)*)", r"and choose \1 as the loudspeaker on the tab Talk"),
    (r"^--(input|output) (\d+|\".*\")$", "choose another device on the tab Talk"),
    (r"^voicegraph devices$", "choose another device on the tab Talk"),
    (r": voicegraph devices$", " on the tab Talk"),
    (r"^--set block=\S+$", "choose another delay on the tab Talk"),
    (r"^voicegraph latency --dry\b.*", "measure without the voice"),
    (r"^--virtual-mic makes a microphone\b", "a virtual microphone is made"),
    (r"--virtual-mic needs\b", "a virtual microphone needs"),
)
"""What a fix for the command line is called in the page."""


def in_page(report: ProblemReport) -> ProblemReport:
    """A problem of a command that the page server has run, with what to do in the page."""
    changes = {"message": _page_words(report.message)}
    if report.fix is not None:
        changes["fix"] = _page_words(report.fix)
    return report.model_copy(update=changes)


def _page_words(text: str) -> str:
    for pattern, words in _IN_PAGE:
        text = re.sub(pattern, words, text)
    return text


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
