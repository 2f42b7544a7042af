"""Indexes from features."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from voicegraph.graph.errors import InputError, PipelineError
from voicegraph.graph.files.models import identify
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.index_card import IndexCard
from voicegraph.training.index import make as module
from voicegraph.training.index.clustering import threads
from voicegraph.training.index.index_writer import CardTexts
from voicegraph.training.index.make import MakeSettings, Material, make

from .conftest import clumps

pytestmark = pytest.mark.numeric

ENCODER = EncoderIdentity(
    title="some", family="hubert-base", fingerprint="0123456789abcdef", layer=12, projected=False
)


def made(vectors: np.ndarray, target: Path, texts: CardTexts | None = None, **settings):
    with threads(1):
        silent = settings.pop("silent", None)
        material = Material(vectors.copy(), 1, silent=silent)
        given = MakeSettings(**settings)
        return make(material, given, target, texts or CardTexts(), force=False)


def test_bytes_are_those_of_rvcs_training(tmp_path: Path) -> None:
    """As its web interface trains: all vectors, ``min(16 sqrt(n), n / 39)`` lists, nprobe 1."""
    vectors = clumps(1200)
    report = made(vectors, tmp_path / "ours.index")
    assert (report.lists, report.probes, report.vectors) == (30, 1, 1200)
    with threads(1):
        expected = faiss.index_factory(16, "IVF30,Flat")
        faiss.extract_index_ivf(expected).nprobe = 1
        expected.train(vectors)
        for start in range(0, 1200, 8192):
            expected.add(vectors[start : start + 8192])
    faiss.write_index(expected, str(tmp_path / "rvc.index"))
    assert (tmp_path / "ours.index").read_bytes() == (tmp_path / "rvc.index").read_bytes()
    assert report.size_bytes == (tmp_path / "ours.index").stat().st_size


def test_what_is_not_worth_finding_is_left_out(tmp_path: Path) -> None:
    vectors = np.concatenate([clumps(100), clumps(100)[:5], np.full((2, 16), np.nan, np.float32)])
    vectors[3, 3] = np.inf
    silent = np.zeros(len(vectors), bool)
    silent[[0, 1, 3]] = True  # the third holds infinity as well, and counts once
    report = made(vectors, tmp_path / "a.index", silent=silent)
    assert (report.not_finite, report.silent, report.duplicates) == (3, 2, 2)
    assert report.vectors == len(vectors) - 3 - 2 - 2
    assert report.notes == []
    everything = made(vectors, tmp_path / "b.index", duplicates=True)
    assert (everything.vectors, everything.duplicates) == (len(vectors) - 3, 0)
    assert "do not tell silence from speech" in everything.notes[0]


def test_copies_in_half_precision_are_duplicates(tmp_path: Path) -> None:
    vectors = clumps(50)
    both = np.concatenate([vectors, vectors.astype(np.float16).astype(np.float32)])
    assert made(both, tmp_path / "a.index").vectors == 50


def test_many_vectors_become_centres(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1000)
    monkeypatch.setattr(module, "CENTRES", 200)
    report = made(clumps(1200), tmp_path / "a.index")
    assert (report.clustered, report.vectors, report.frames) == (True, 200, 1200)
    assert made(clumps(1000), tmp_path / "b.index").clustered is False
    assert made(clumps(1200), tmp_path / "c.index", cluster=False).vectors == 1200
    nearest = faiss.IndexFlatL2(16)
    nearest.add(faiss.read_index(str(tmp_path / "a.index")).reconstruct_n(0, 200))
    spread = np.square(clumps(1200) - clumps(1200).mean(0)).sum(1).mean()
    assert nearest.search(clumps(1200), 1)[0].mean() < 0.2 * spread


def test_a_card_states_the_encoder_where_the_format_has_one(tmp_path: Path) -> None:
    texts = CardTexts("Alice", "CC0", "somewhere", ENCODER)
    report = made(clumps(100), tmp_path / "a.safetensors", texts)
    card = identify(tmp_path / "a.safetensors").card
    assert isinstance(card, IndexCard)
    assert (card.title, card.licence, card.source) == ("Alice", "CC0", "somewhere")
    assert (card.trained_on, report.trained_on) == (ENCODER, ENCODER)
    assert (card.state, card.vectors) == ("filled", 100)
    plain = made(clumps(100), tmp_path / "a.index", texts)
    assert plain.trained_on is None
    assert "states no encoder: " in plain.notes[1]
    whole = made(clumps(100), tmp_path / "b.safetensors")
    assert "--encoder FILE names it" in whole.notes[1]


def test_the_same_bytes_come_again(tmp_path: Path) -> None:
    for name in "ab":
        made(clumps(1200), tmp_path / f"{name}.safetensors", CardTexts("t", trained_on=ENCODER))
    assert (tmp_path / "a.safetensors").read_bytes() == (tmp_path / "b.safetensors").read_bytes()


def test_nothing_left_and_too_many_lists_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="none of the 5 frames is left for the index: 5 silent"):
        made(clumps(5), tmp_path / "a.index", silent=np.ones(5, bool))
    with pytest.raises(PipelineError, match="at most as many lists as vectors, 5, found 6"):
        made(clumps(5), tmp_path / "a.index", lists=6)
    assert list(tmp_path.iterdir()) == []
