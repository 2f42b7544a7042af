"""Training set and corpora of the encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.training.encoder import _kokoro_corpus as kokoro_corpus
from voicegraph.training.encoder import _librispeech as librispeech
from voicegraph.training.encoder._channel_augmentation import random_channel
from voicegraph.training.encoder._dataset import UNKNOWN, load_datasets
from voicegraph.training.encoder._workdir import EncoderWorkdir
from voicegraph.training.evaluate import clips


def test_step_and_rank_decide_a_batch(workdir: EncoderWorkdir) -> None:
    drawn, _ = load_datasets(workdir, 1)
    one, same, other, rank = (
        drawn.batch(*which, 3, 50) for which in ((1, 0), (1, 0), (2, 0), (1, 1))
    )
    assert torch.equal(one.audio, same.audio)
    assert not torch.equal(one.audio, other.audio)
    assert not torch.equal(one.audio, rank.audio)
    assert one.audio.shape == (3, 50 * 320)
    assert one.target.shape == (3, 50, 16)


def test_phones_belong_to_synthetic_frames(
    workdir: EncoderWorkdir,
) -> None:
    drawn, _ = load_datasets(workdir, 1)
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


def test_short_utterances_are_padded(workdir: EncoderWorkdir) -> None:
    drawn, _ = load_datasets(workdir, 1)
    audio, target, phones = drawn._piece(drawn.utterances[0], 100, np.random.default_rng(1))
    assert (len(audio), len(target), len(phones)) == (32000, 100, 100)


def test_speakers_of_the_evaluation_are_left_out(tmp_path: Path) -> None:
    evaluated = min(clips.evaluated_speakers())
    for stem in (f"{evaluated}-1-0000", f"{evaluated}-9-9", "1-2-3"):
        (tmp_path / f"{stem}.flac").touch()
    found = librispeech.jobs(EncoderWorkdir(tmp_path / "work"), tmp_path)
    assert [file.stem for _, file in found] == ["1-2-3"]


def test_folder_without_speech_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no \.flac"):
        librispeech.jobs(EncoderWorkdir(tmp_path), tmp_path)


def test_speakers_are_held_out_completely() -> None:
    names = [f"books-{reader}-1-{n}" for reader in range(20) for n in range(2)]
    learned, held_out = librispeech.split_held_out([*names, "chorus-0000"])
    readers = [{name.split("-")[1] for name in some} for some in (learned[:-1], held_out)]
    assert not readers[0] & readers[1]
    assert len(readers[1]) == 3
    assert learned[-1] == "chorus-0000"


def test_kokoro_reads_other_sentences_than_voices() -> None:
    from voicegraph.training.corpora.read_sentences import sentences

    assert len(kokoro_corpus.sentences()) == 1200
    assert not set(kokoro_corpus.sentences()) & set(sentences())


def test_phones_per_frame_take_the_centre() -> None:
    # Three spans of 25 ms: frames are centred at 0, 20, 40 and 60 ms.
    assert kokoro_corpus.phones_per_frame(np.array([5, 6, 7]), 1200).tolist() == [5, 5, 6, 7]


def test_styles_are_voices_or_mixtures() -> None:
    styles = [np.full((3, 1, 2), float(n)) for n in range(4)]
    found = [
        kokoro_corpus.draw_style(styles, np.random.default_rng(seed))[0, 0, 0] for seed in range(60)
    ]
    mixed = [one for one in found if one % 1]
    assert 15 < len(mixed) < 45
    assert min(found) >= 0
    assert max(found) <= 3


@given(st.integers(0, 2**32), st.integers(400, 20000))
def test_random_channel_keeps_length_and_is_finite(seed: int, count: int) -> None:
    random = np.random.default_rng(seed)
    found = random_channel(0.1 * random.standard_normal(count), random)
    assert found.shape == (count,)
    assert np.isfinite(found).all()
    assert random_channel(np.zeros(count), random).shape == (count,)
