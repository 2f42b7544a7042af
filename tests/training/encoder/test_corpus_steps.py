"""The steps that bring speech for the encoder: what is still missing, and what is written."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.training.encoder import _augmented_copies as augmented_copies
from voicegraph.training.encoder import _librispeech as librispeech
from voicegraph.training.encoder import _tts_corpus as tts_corpus
from voicegraph.training.encoder._workdir import COPIES, EncoderWorkdir

RATE = 16000


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    """Half a second at 16 kHz, named as an utterance of LibriSpeech."""
    path = tmp_path / "speech" / "9999-1-0000.flac"
    path.parent.mkdir()
    wave = 0.3 * np.sin(2 * np.pi * 150 * np.arange(RATE // 2) / RATE)
    soundfile.write(path, wave, RATE, "PCM_16")
    return path


def test_librispeech_is_imported_once(tone: Path, tmp_path: Path) -> None:
    workdir = EncoderWorkdir(tmp_path / "work", "phonetic-1")
    (job,) = librispeech.jobs(workdir, tone.parent)
    librispeech.import_utterance(*job)
    copied, rate = soundfile.read(workdir.speech(librispeech.name(tone)), dtype="int16")
    assert rate == RATE
    assert np.array_equal(copied, soundfile.read(tone, dtype="int16")[0])
    assert librispeech.jobs(workdir, tone.parent) == []


def test_librispeech_of_another_rate_is_refused(tone: Path, tmp_path: Path) -> None:
    soundfile.write(tone, np.zeros(800), 8000, "PCM_16")
    with pytest.raises(SystemExit, match="has 8000 Hz, expected one channel at 16000"):
        librispeech.import_utterance(EncoderWorkdir(tmp_path / "work", "phonetic-1"), tone)


def test_folder_without_speech_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"there is no \.flac"):
        librispeech.jobs(EncoderWorkdir(tmp_path / "work", "phonetic-1"), tmp_path)


def test_copies_are_repeatable_and_made_once(tone: Path, tmp_path: Path) -> None:
    made = []
    for run in ("a", "b"):
        workdir = EncoderWorkdir(tmp_path / run, "phonetic-1")
        librispeech.import_utterance(workdir, tone)
        jobs = augmented_copies.jobs(workdir, 1)
        assert len(jobs) == COPIES
        augmented_copies.make(*jobs[0])
        assert len(augmented_copies.jobs(workdir, 1)) == COPIES - 1
        made.append(soundfile.read(workdir.augmented_copy(*jobs[0][1:3]))[0])
    assert np.array_equal(*made)
    assert 0 < np.abs(made[0]).max() < 1


def test_sentences_already_read_are_left_out(tone: Path, tmp_path: Path) -> None:
    workdir = EncoderWorkdir(tmp_path / "work", "phonetic-1")
    before = tts_corpus.jobs(workdir, 9, 1)
    path = workdir.phones(tts_corpus.name(3))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch()
    assert [job[1] for job in before if job not in tts_corpus.jobs(workdir, 9, 1)] == [3]


def test_another_voice_has_other_formants_and_pitch() -> None:
    bins, frames = 601, 40
    bump = np.exp(-0.5 * ((np.arange(bins) - 200) / 10) ** 2)[:, None] * np.ones(frames)
    f0 = np.where(np.arange(frames) < 20, 200.0, 0.0)
    spectra = [*(bump.astype(np.float32) for _ in range(5)), f0.astype(np.float32)]
    made = tts_corpus.in_another_voice(spectra, 1.2, 100.0, np.random.default_rng(1))
    assert [part.shape for part in made] == [part.shape for part in spectra]
    assert (made[0].argmax(0) == 240).all()
    np.testing.assert_allclose(made[-1], f0 / 2)
