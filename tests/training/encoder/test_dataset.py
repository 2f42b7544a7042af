"""Training set and corpora of the encoder."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.training.channel.augmentation import Odds
from voicegraph.training.encoder import _dataset as dataset
from voicegraph.training.encoder import _kokoro_corpus as kokoro_corpus
from voicegraph.training.encoder import _librispeech as librispeech
from voicegraph.training.encoder._dataset import (
    SILENCE,
    UNKNOWN,
    EncoderUtterance,
    labels,
    load_datasets,
    spoken,
)
from voicegraph.training.encoder._workdir import EncoderWorkdir
from voicegraph.training.evaluate import clips
from voicegraph.training.evaluate.librispeech import held_out_speakers


def test_step_and_rank_decide_a_batch(workdir: EncoderWorkdir) -> None:
    drawn, _ = load_datasets(workdir, 1, Odds())
    one, same, other, rank = (
        drawn.batch(*which, 3, 50) for which in ((1, 0), (1, 0), (2, 0), (1, 1))
    )
    assert torch.equal(one.audio, same.audio)
    assert not torch.equal(one.audio, other.audio)
    assert not torch.equal(one.audio, rank.audio)
    assert one.audio.shape == (3, 50 * 320)
    assert one.target.shape == (3, 50, 16)


def test_phones_belong_to_synthetic_frames(
    workdir: EncoderWorkdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "_FASTER", 0.0)
    drawn, _ = load_datasets(workdir, 1, Odds())
    for found in drawn.utterances:
        audio, target, phones = drawn._piece(found, 40, np.random.default_rng(3))
        at = np.flatnonzero((found.target[:-39] == target[0].astype(np.float16)).all(1))[0]
        assert len(audio) == 40 * 320
        if found.phones is None:
            assert (phones == UNKNOWN).all()
        else:
            known = phones != UNKNOWN
            assert known.any()
            wanted = labels(found.phones)[at : at + 40]
            np.testing.assert_array_equal(phones, wanted)


def test_faster_pieces_have_the_targets_of_their_audio(
    workdir: EncoderWorkdir, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dataset, "_FASTER", 1.0)
    monkeypatch.setattr(dataset, "_SPEEDS", (1.25, 1.25))
    drawn, _ = load_datasets(workdir, 1, Odds(clean=1.0, level_db=(0.0, 0.0)))
    ramp = np.arange(76.0)
    audio = np.sin(2 * np.pi * 400 * np.arange(76 * 320) / 16000)
    found = EncoderUtterance(
        "reader-00000",
        np.stack([audio, audio] * 1) * 20000,
        np.repeat(ramp[:, None], 16, 1).astype(np.float16),
        ramp.astype(np.int16),
    )
    heard, target, phones = drawn._piece(found, 40, np.random.default_rng(2))
    steps = np.diff(target[:, 0])
    np.testing.assert_allclose(steps, 1.25)
    known = phones > SILENCE
    assert np.abs(phones - target[:, 0])[known].max() <= 0.5
    spectrum = np.abs(np.fft.rfft(heard * np.hanning(len(heard))))
    assert spectrum.argmax() * 16000 / len(heard) == pytest.approx(500, abs=2)


def test_labels_have_one_silence_and_no_marks() -> None:
    assert labels(np.array([0, 4, 16, 156, 157, 43, 156])).tolist() == [
        0,
        0,
        UNKNOWN,
        43,
        43,
        43,
        UNKNOWN,
    ]
    assert spoken(np.array([0, 43, 156, 16, 43, 9, 69])).tolist() == [43, 43, 69]


def test_short_utterances_are_padded(workdir: EncoderWorkdir) -> None:
    drawn, _ = load_datasets(workdir, 1, Odds())
    audio, target, phones = drawn._piece(drawn.utterances[0], 100, np.random.default_rng(1))
    assert (len(audio), len(target), len(phones)) == (32000, 100, 100)


def test_speakers_of_the_evaluation_are_left_out(tmp_path: Path) -> None:
    evaluated = min(clips.evaluated_speakers())
    for stem in (f"{evaluated}-1-0000", f"{evaluated}-9-9", "1-2-3"):
        (tmp_path / f"{stem}.flac").touch()
    found = librispeech.jobs(EncoderWorkdir(tmp_path / "work", "phonetic-1"), tmp_path)
    assert [file.stem for _, file in found] == ["1-2-3"]


def test_folder_without_speech_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"no \.flac"):
        librispeech.jobs(EncoderWorkdir(tmp_path, "phonetic-1"), tmp_path)


def test_speakers_are_held_out_completely() -> None:
    kept = sorted(held_out_speakers())
    assert len(kept) == 16
    assert not set(kept) & clips.evaluated_speakers()
    names = [f"books-{reader}-1-{n}" for reader in ("1", kept[0]) for n in range(2)]
    learned, held_out = librispeech.split_held_out([*names, f"chorus-{kept[0]}"])
    assert learned == [*names[:2], f"chorus-{kept[0]}"]
    assert held_out == names[2:]


def test_kokoro_reads_other_sentences_than_voices() -> None:
    from voicegraph.training.corpora.read_sentences import sentences

    assert len(set(kokoro_corpus.sentences())) == 11152
    assert not set(kokoro_corpus.sentences()) & set(sentences())


def test_phones_per_frame_take_the_centre() -> None:
    # Three spans of 25 ms: frames are centred at 0, 20, 40 and 60 ms.
    found = kokoro_corpus.phones_per_frame(np.array([5, 6, 7]), 1200, 0.025)
    assert found.tolist() == [5, 5, 6, 7]


def test_styles_are_voices_or_mixtures() -> None:
    styles = [np.full((3, 1, 2), float(n)) for n in range(4)]
    found = [
        kokoro_corpus.draw_style(styles, np.random.default_rng(seed))[0, 0, 0] for seed in range(60)
    ]
    mixed = [one for one in found if one % 1]
    assert 15 < len(mixed) < 45
    assert min(found) >= 0
    assert max(found) <= 3
