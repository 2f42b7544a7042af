"""Tests as a sequence that prints as a table."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, overload

from voicegraph.schemas.experiment_manifest import MetricFacts
from voicegraph.schemas.experiment_tables import TestRow

from ._frames import frame
from .markdown import markdown_table, one_line
from .sentences import number, p_text, sentence

if TYPE_CHECKING:
    import pandas


class TestTable(Sequence[TestRow]):
    """Tests in order; printed they are a table.

    Args:
        rows: the tests.
        metrics: facts by name.
        correct: how p was corrected.
    """

    __test__ = False  # for pytest, as TestRow

    def __init__(
        self, rows: Sequence[TestRow], metrics: Mapping[str, MetricFacts], correct: str
    ) -> None:
        self._rows = tuple(rows)
        self._metrics = metrics
        self._correct = correct

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, index: int) -> TestRow: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[TestRow, ...]: ...
    def __getitem__(self, index: int | slice) -> TestRow | tuple[TestRow, ...]:
        return self._rows[index]

    def __iter__(self) -> Iterator[TestRow]:
        return iter(self._rows)

    def __str__(self) -> str:
        return tests_text(self._rows, self._metrics)

    __repr__ = __str__

    def sentences(self) -> list[str]:
        """Each test in words."""
        return [sentence(row, self._metrics, self._correct) for row in self._rows]

    def frame(self) -> pandas.DataFrame:
        """The rows as a frame.

        Raises:
            PipelineError: if pandas is not installed.
        """
        return frame(self._rows, TestRow)


_HEAD = (
    *("level", "baseline", "within", "metric", "n", "difference", "95 % interval", "p"),
    *("corrected", "d_z", "superiority", "verdict"),
)


def tests_text(rows: Sequence[TestRow], metrics: Mapping[str, MetricFacts]) -> str:
    """Tests as a table in Markdown, with the reasons of verdicts below it."""
    reasons = {
        why: f"({i})" for i, why in enumerate(dict.fromkeys(r.why for r in rows if r.why), 1)
    }
    table = markdown_table(_HEAD, [_cells(row, metrics, reasons) for row in rows], 4)
    notes = [f"{mark} {one_line(why)}" for why, mark in reasons.items()]
    return "\n".join([table, *(["", *notes] if notes else [])])


def _cells(
    test: TestRow, metrics: Mapping[str, MetricFacts], reasons: Mapping[str, str]
) -> list[str]:
    digits = metrics[test.metric].digits if test.metric in metrics else 3
    interval = "-"
    if test.low is not None and test.high is not None:
        low, high = (number(end, digits, sign=True) for end in (test.low, test.high))
        interval = f"[{low}, {high}]"
    return [
        f"{test.vary}={test.level}",
        test.baseline,
        test.within or "-",
        test.metric,
        str(test.n),
        number(test.difference, digits, sign=True),
        interval,
        p_text(test.p).removeprefix("= "),
        p_text(test.p_corrected).removeprefix("= "),
        number(test.d_z, 2, sign=True),
        number(test.superiority, 2),
        f"{test.verdict} {reasons[test.why]}" if test.why else test.verdict,
    ]
