"""Compressing an index."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph.errors import OutputError, PipelineError
from voicegraph.graph.files.models import identify
from voicegraph.schemas.index_card import IndexCard
from voicegraph.schemas.index_report import IndexCompressed
from voicegraph.training.index.clustering import threads
from voicegraph.training.index.compress import Form, Judge, compress
from voicegraph.training.index.encodings import Encoding
from voicegraph.training.index.index_writer import CardTexts
from voicegraph.training.index.make import MakeSettings, Material, make
from voicegraph.training.index.source import IndexSource

from .conftest import clumps
from .test_make import ENCODER

pytestmark = pytest.mark.numeric

SQ8 = Encoding("sq8")


def compressed(
    source: IndexSource, target: Path, form: Form, *within: str, rate: float = 0.5
) -> IndexCompressed:
    with threads(1):
        return compress(source, form, Judge(rate, within=within), target, seed=1, force=False)


def test_the_report_is_about_the_file_that_was_written(source: IndexSource, tmp_path: Path) -> None:
    target = tmp_path / "small.index"
    report = compressed(source, target, Form(SQ8, 4), "blend<=.05", "recall>=90%", "size<=1MB")
    assert report.written
    assert report.within
    assert [limit.ok for limit in report.limits] == [True] * 3
    opened = IndexSource(target)
    assert (opened.count, opened.lists, opened.probes) == (1200, 30, 4)
    assert report.after.size_bytes == opened.size == target.stat().st_size
    assert [(each.type, each.probes) for each in report.before] == [("source", 1), ("source", 4)]
    assert report.after.blend < report.before[0].blend
    assert report.after.blend == pytest.approx(report.before[1].blend, abs=0.02)


def test_nothing_is_written_where_a_condition_is_missed(
    source: IndexSource, tmp_path: Path
) -> None:
    before = set(tmp_path.iterdir())
    report = compressed(source, tmp_path / "small.index", Form(SQ8), "blend<=1e-9", "size<=1MB")
    assert (report.written, report.within) == (False, False)
    assert [limit.ok for limit in report.limits] == [False, True]
    heard = compressed(source, tmp_path / "small.index", Form(SQ8), "snr>=10dB")
    assert (heard.written, heard.within) == (False, None)
    assert "--on FILE --through PIPELINE" in (heard.limits[0].why or "")
    assert set(tmp_path.iterdir()) == before


def test_lists_and_probes_are_kept_unless_told(source: IndexSource, tmp_path: Path) -> None:
    kept = compressed(source, tmp_path / "a.index", Form(SQ8))
    assert (kept.lists, kept.after.probes) == (30, 1)
    fewer = compressed(source, tmp_path / "b.index", Form(SQ8, 64, 10))
    assert (fewer.lists, fewer.after.probes) == (10, 10)
    assert fewer.after.recall > 0.95  # all lists: only the rounding of the values is left


def test_a_card_goes_on_and_is_missed_where_it_cannot(tmp_path: Path) -> None:
    texts = CardTexts("Alice", "CC0", "somewhere", ENCODER)
    first = tmp_path / "a.safetensors"
    make(Material(clumps(300), 1), MakeSettings(), first, texts, force=False)
    report = compressed(IndexSource(first), tmp_path / "b.safetensors", Form(SQ8))
    card = identify(tmp_path / "b.safetensors").card
    assert isinstance(card, IndexCard)
    assert (card.title, card.licence, card.trained_on) == ("Alice", "CC0", ENCODER)
    assert card.type == "IndexIVFScalarQuantizer"
    assert report.notes == []
    report = compressed(IndexSource(first), tmp_path / "b.index", Form(Encoding("pq", 4)))
    assert "300 vectors train pq:4 badly" in report.notes[0]
    assert "has no card" in report.notes[1]


def test_mistakes_are_found_before_anything_is_computed(
    source: IndexSource, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(IndexSource, "chunks", None)
    with pytest.raises(PipelineError, match="there is no measure blnd; there are: blend, mean"):
        compressed(source, tmp_path / "a.index", Form(SQ8), "blnd<=.02")
    with pytest.raises(PipelineError, match="blend is good if it is small"):
        compressed(source, tmp_path / "a.index", Form(SQ8), "blend>=.02")
    with pytest.raises(PipelineError, match="blend is not about a port"):
        compressed(source, tmp_path / "a.index", Form(SQ8), "content.blend<=.02")


def test_an_index_may_replace_itself(source: IndexSource) -> None:
    with pytest.raises(OutputError, match="exists"):
        compressed(source, source.path, Form(SQ8))
    with threads(1):
        compress(source, Form(SQ8), Judge(), source.path, seed=1, force=True)
    assert IndexSource(source.path).type == "IndexIVFScalarQuantizer"
