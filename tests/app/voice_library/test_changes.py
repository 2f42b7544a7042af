"""Editing, merging and removing what is in the library."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.voice_library import (
    AddRequest,
    EditRequest,
    MergeRequest,
    add,
    edit,
    merge,
    remove,
    set_picture,
)
from voicegraph.app.voice_library.merge import mixed
from voicegraph.app.voice_library.merged_index import shares
from voicegraph.graph.errors import InputError, OutputError
from voicegraph.graph.files.models import identify, open_archive
from voicegraph.graph.files.voice_library import entries, require
from voicegraph.nodes.retrieval._faiss_example import vectors, with_lists
from voicegraph.nodes.synth import rvc_example
from voicegraph.schemas.index_card import IndexCard
from voicegraph.schemas.voice_library import VoiceSettings

from ...library_cards import write_encoder
from .pictures import gif, png

SPEECH = Path(__file__).parents[3] / "pipelines" / "audio"


def _add(name: str, version: str = "v1", index: int = 0, **more: Any) -> None:
    """A small voice in the library; weights differ by name."""
    torch.manual_seed(len(name))
    made: dict[str, Any] = rvc_example.voice(rvc_example.CONFIG, version, True)
    made["weight"] = {k: t + torch.randn_like(t) * 0.1 for k, t in made["weight"].items()}
    torch.save({**made, **more}, f"{name}.pth")
    files = [Path(f"{name}.pth")]
    if index:
        faiss.write_index(with_lists(vectors(index, 256), 4, 2), f"{name}.index")
        files.append(Path(f"{name}.index"))
    add(files, AddRequest(name, settings=VoiceSettings(transpose=len(name), speaker=0)))


# ---- edit -----------------------------------------------------------------------------------


def test_a_card_is_edited_in_place() -> None:
    _add("alice")
    write_encoder("hubert", widths=(256,))
    Path("p.png").write_bytes(png())
    before = require("alice").model_file
    settings = VoiceSettings(protect=0.1)
    edit("alice", EditRequest("Alice", "mine", None, "text", Path("p.png"), "hubert", settings))
    card = require("alice").card
    assert (card.title, card.licence, card.description) == ("Alice", "mine", "text")
    assert card.settings == VoiceSettings(transpose=5, protect=0.1, speaker=0)
    assert card.encoder is not None
    assert card.encoder.name == "hubert"
    assert require("alice").model_file == before


def test_a_picture_replaces_the_one_before() -> None:
    _add("alice")
    set_picture("alice", png())
    first = require("alice").picture_file
    set_picture("alice", gif())
    second = require("alice")
    assert first is not None
    assert not first.exists()
    assert second.picture_file is not None
    assert second.picture_file.read_bytes() == gif()
    assert second.card.picture_type == "image/gif"
    with pytest.raises(InputError, match="no PNG"):
        set_picture("alice", b"<svg/>")
    with pytest.raises(OutputError, match="comes with voicegraph"):
        set_picture("heart", png())


def test_pitch_is_measured_on_a_sample_and_stays_with_the_file() -> None:
    _add("alice")
    sample = next(iter(sorted(SPEECH.glob("*.flac"))))
    edit("alice", EditRequest(sample=sample))
    entry = require("alice")
    pitch = entry.card.pitch
    assert pitch is not None
    assert pitch.low_hz is not None
    assert pitch.high_hz is not None
    assert 70 < pitch.low_hz < pitch.median_hz < pitch.high_hz < 500
    assert identify(entry.model_file).card.pitch == pitch  # pyright: ignore[reportAttributeAccessIssue, reportOptionalMemberAccess]


# ---- remove ---------------------------------------------------------------------------------


def test_an_encoder_in_use_is_kept_unless_forced() -> None:
    write_encoder("hubert", widths=(256,))
    _add("alice")
    with pytest.raises(OutputError, match="the encoder of alice") as error:
        remove(["hubert"])
    assert error.value.problems[0].fix == "voicegraph voice remove hubert --force"
    assert remove(["hubert"], force=True).orphaned == ["alice"]
    assert remove(["alice"]).removed == ["alice"]
    assert list(entries()) == ["heart", "michael"]


def test_all_or_none_are_removed(library: Path) -> None:
    _add("alice")
    with pytest.raises(InputError, match="no voice called 'alic'"):
        remove(["alice", "alic"])
    with pytest.raises(OutputError, match="comes with voicegraph"):
        remove(["alice", "heart"])
    assert "alice" in entries()
    (library / "alice" / "card.json").write_text("broken")
    assert remove(["alice"]).removed == ["alice"]
    assert not (library / "alice").exists()


# ---- merge ----------------------------------------------------------------------------------


def test_a_merged_voice_is_the_weighted_mean_of_its_parents() -> None:
    _add("alice", index=300)
    _add("bob", index=200)
    report = merge(MergeRequest("alice", "bob", 0.25))
    merged = require("alice-bob")
    one, other, made = (
        open_archive(require(name).model_file) for name in ("alice", "bob", "alice-bob")
    )
    for name, tensor in made.read(made.tensors).items():
        mine, yours = one.read([name])[name].float(), other.read([name])[name].float()
        wanted = (0.25 * mine + 0.75 * yours).to(tensor.dtype)
        torch.testing.assert_close(tensor, wanted)
    card = merged.card
    assert [(p.name, p.share) for p in card.parents] == [("alice", 0.25), ("bob", 0.75)]
    assert card.parents[0].sha256 == require("alice").card.model.sha256
    assert card.settings.speaker == 0
    assert card.settings.transpose == pytest.approx(0.25 * 5 + 0.75 * 3)
    assert merged.index_file is not None
    index = identify(merged.index_file).card
    assert isinstance(index, IndexCard)
    assert index.vectors == 200 + 67
    assert "67 vectors of alice and 200 of bob" in card.remarks[0]
    assert report.added[0].name == "alice-bob"


def test_an_index_of_one_parent_alone_is_not_taken() -> None:
    _add("alice", index=100)
    _add("bob")
    merge(MergeRequest("alice", "bob", name="carol"))
    carol = require("carol")
    assert carol.index_file is None
    assert "bob has none" in carol.card.remarks[0]


def test_all_differences_are_named_at_once(models: Path) -> None:
    _add("alice")
    config = list(rvc_example.CONFIG)
    config[5] = 1  # attention heads
    torch.save(rvc_example.voice(config, "v2", False), "carl.pth")
    add([Path("carl.pth")])
    with pytest.raises(InputError) as error:
        merge(MergeRequest("alice", "carl"))
    notes = [text for text, _ in error.value.problems[0].notes]
    assert "version: v1, and v2" in notes
    assert "pitch: with, and without" in notes
    assert any(note.startswith("n heads") for note in notes)
    assert "alice-carl" not in entries()


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ("alice", "alice", "with itself"),
        ("alice", "heart", "heart is no RVC voice"),
        ("alice", "alic", "no voice called 'alic'"),
    ],
)
def test_these_cannot_be_merged(first: str, second: str, why: str) -> None:
    _add("alice")
    with pytest.raises(InputError, match=why):
        merge(MergeRequest(first, second))


def test_a_voice_with_fewer_speakers_merges_what_both_have() -> None:
    one, other = torch.arange(12.0).reshape(4, 3), torch.zeros(2, 3)
    torch.testing.assert_close(mixed(one, other, 0.5), one[:2] / 2)


@given(st.floats(0.01, 0.99), st.sampled_from([torch.float32, torch.float16]))
def test_a_mean_of_equal_weights_is_themselves(ratio: float, dtype: torch.dtype) -> None:
    tensor = torch.linspace(-3, 3, 50).to(dtype)
    assert mixed(tensor, tensor, ratio).dtype == dtype
    torch.testing.assert_close(mixed(tensor, tensor, ratio), tensor)


@given(st.integers(1, 10**6), st.integers(1, 10**6), st.floats(0.001, 0.999))
def test_vectors_are_drawn_in_the_ratio_of_the_weights(one: int, other: int, ratio: float) -> None:
    drawn = shares([one, other], ratio)
    assert 1 <= drawn[0] <= one
    assert 1 <= drawn[1] <= other
    assert drawn[0] == one or drawn[1] == other
    assert abs(drawn[0] - sum(drawn) * ratio) <= 1
    assert np.isfinite(drawn).all()


def test_merging_again_needs_force(models: Path) -> None:
    _add("alice")
    shutil.copy("alice.pth", "b.pth")
    add([Path("b.pth")])
    merge(MergeRequest("alice", "b"))
    with pytest.raises(OutputError, match="in the library already"):
        merge(MergeRequest("alice", "b"))
    merge(MergeRequest("alice", "b", force=True))
