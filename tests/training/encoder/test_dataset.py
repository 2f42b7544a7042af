"""What the encoder is trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.training.encoder import _kokoro_corpus as kokoro_corpus
from voicegraph.training.encoder import _librispeech as librispeech
from voicegraph.training.encoder._channel_augmentation import disturbed
from voicegraph.training.encoder._dataset import UNKNOWN, collected
from voicegraph.training.encoder._workdir import Place
from voicegraph.training.evaluate import clips


def test_a_batch_is_decided_by_step_and_part(place: Place) -> None:
    drawn, _ = collected(place, 1)
    one, same, other, part = (
        drawn.batch(*which, 3, 50) for which in ((1, 0), (1, 0), (2, 0), (1, 1))
    )
    assert torch.equal(one.audio, same.audio)
    assert not torch.equal(one.audio, other.audio)
    assert not torch.equal(one.audio, part.audio)
    assert one.audio.shape == (3, 50 * 320)
    assert one.target.shape == (3, 50, 16)


def test_phones_are_those_of_the_frames_and_only_where_a_program_spoke(place: Place) -> None:
    drawn, _ = collected(place, 1)
    for found in drawn.utterances:
        audio, target, phones = drawn._piece(found, 40, np.random.default_rng(3))
        at = np.flatnonzero((found.target[:-39] == target[0].astype(np.float16)).all(1))[0]
        assert len(audio) == 40 * 320
        if found.phones is None:
            assert (phones == UNKNOWN).all()
        else:
            known = phones != UNKNOWN
            assert known.any()
            np.testing.assert_array_equal(phones[known], found.phones[at : at + 40][known])


def test_shorter_utterances_are_filled_up(place: Place) -> None:
    drawn, _ = collected(place, 1)
    audio, target, phones = drawn._piece(drawn.utterances[0], 100, np.random.default_rng(1))
    assert (len(audio), len(target), len(phones)) == (32000, 100, 100)


def test_readers_that_evaluation_hears_are_left_out(tmp_path: Path) -> None:
    judged = clips.read()[0]
    for stem in (judged.name, f"{judged.speaker}-9-9", "1-2-3"):
        (tmp_path / f"{stem}.flac").touch()
    found = librispeech.jobs(Place(tmp_path / "work"), tmp_path)
    assert [file.stem for _, file in found] == ["1-2-3"]


def test_no_speech_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no \.flac"):
        librispeech.jobs(Place(tmp_path), tmp_path)


def test_readers_are_held_out_whole() -> None:
    names = [f"books-{reader}-1-{n}" for reader in range(20) for n in range(2)]
    learned, held_out = librispeech.divided([*names, "chorus-0000"])
    readers = [{name.split("-")[1] for name in some} for some in (learned[:-1], held_out)]
    assert not readers[0] & readers[1]
    assert len(readers[1]) == 3
    assert learned[-1] == "chorus-0000"


def test_the_chorus_reads_what_no_voice_reads() -> None:
    from voicegraph.training.corpora.read_sentences import sentences

    assert len(kokoro_corpus.sentences()) == 1200
    assert not set(kokoro_corpus.sentences()) & set(sentences())


def test_phones_of_frames() -> None:
    # Three spans of 25 ms: frames are centred at 0, 20, 40 and 60 ms.
    assert kokoro_corpus.framed(np.array([5, 6, 7]), 1200).tolist() == [5, 5, 6, 7]


def test_voices_and_mixtures() -> None:
    styles = [np.full((3, 1, 2), float(n)) for n in range(4)]
    found = [
        kokoro_corpus.drawn(styles, np.random.default_rng(seed))[0, 0, 0] for seed in range(60)
    ]
    mixed = [one for one in found if one % 1]
    assert 15 < len(mixed) < 45
    assert min(found) >= 0
    assert max(found) <= 3


@given(st.integers(0, 2**32), st.integers(400, 20000))
def test_a_line_keeps_length_and_is_finite(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    found = disturbed(0.1 * random.standard_normal(count), random)
    assert found.shape == (count,)
    assert np.isfinite(found).all()
    assert disturbed(np.zeros(count), random).shape == (count,)
