"""What ``--suggest`` tries and finds."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.schemas.index_report import SearchReport
from voicegraph.training.index import frontier_figure
from voicegraph.training.index.clustering import threads
from voicegraph.training.index.compress import Judge
from voicegraph.training.index.encodings import Encoding
from voicegraph.training.index.source import IndexSource
from voicegraph.training.index.suggest import beats, probe_counts, suggest

pytestmark = pytest.mark.numeric

FIGURES = st.sampled_from([1.0, 1.05, 2.0, 3.0])
REPORTS = st.builds(
    lambda size, blend, ms: SearchReport(
        type="sq8", probes=1, size_bytes=int(size * 100), recall=1, mean=blend, blend=blend,
        cosine=1, search_ms=ms,
    ),
    FIGURES, FIGURES, FIGURES,
)  # fmt: skip


@given(REPORTS, REPORTS)
def test_no_two_beat_each_other(one: SearchReport, other: SearchReport) -> None:
    assert not beats(one, one)
    assert not (beats(one, other) and beats(other, one))


def test_searched_lists_are_powers_of_two() -> None:
    assert probe_counts(1) == [1]
    assert probe_counts(30) == [1, 2, 4, 8, 16]
    assert probe_counts(10_000) == [1, 2, 4, 8, 16, 32, 64]


def test_the_smallest_that_fulfils_the_conditions_is_offered(
    source: IndexSource, tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    encodings = [Encoding("flat"), Encoding("sq8"), Encoding("pq", 8)]
    judge = Judge(within=["blend<=.02"])
    with threads(1):
        report = suggest(source, encodings, (), judge, lists=None, seed=1)
    assert len(report.tried) == 3 * 5
    assert [each.size_bytes for each in report.tried] == sorted(
        each.size_bytes for each in report.tried
    )
    fit = [each for each in report.tried if each.within]
    assert all(each.blend <= 0.02 for each in fit)
    assert report.command is not None
    assert f"--to {fit[0].type} --nprobe" in report.command
    assert report.command.endswith("--within 'blend<=.02'")
    assert set(tmp_path.iterdir()) == before
    with threads(1):
        none = suggest(
            source, encodings[:1], [1, 99], Judge(within=["size<=1e-6"]), lists=None, seed=1
        )
    assert none.command is None
    assert [each.probes for each in none.tried] == [1, 30]


def test_the_figure_shows_what_was_tried(source: IndexSource, tmp_path: Path) -> None:
    with threads(1):
        report = suggest(source, [Encoding("sq8")], [1, 2], Judge(), lists=None, seed=1)
    frontier_figure.draw(report, tmp_path / "tried.png")
    assert (tmp_path / "tried.png").read_bytes().startswith(b"\x89PNG")
