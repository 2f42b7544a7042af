"""The steps before training, as far as they need no package that speaks or listens."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from voicegraph.training import contours, jobs, make, perturb, speech
from voicegraph.training.recipes import RECIPES
from voicegraph.training.speakers import SPEAKERS
from voicegraph.training.workplace import COPIES, Workplace, write_whole


def test_sentences() -> None:
    found = speech.sentences()
    assert len(found) == len(set(found)) == 620
    assert all(40 <= len(text) <= 150 and text.isascii() for text in found)


def test_recipes_have_speakers() -> None:
    assert {recipe.speaker for recipe in RECIPES.values()} <= SPEAKERS.keys()


def test_only_what_is_missing_is_made(place: Workplace) -> None:
    assert contours.jobs(place) == []
    place.contours(2).unlink()
    assert contours.jobs(place) == [(place, 2)]
    assert len(perturb.jobs(place, 1)) == 4 * COPIES
    numbers = [job[3] for job in speech.jobs(place, "heart", Path(), 6)]
    assert numbers == [4, 5]


def test_copies_are_decided_by_the_seed(place: Workplace) -> None:
    perturb.perturb(place, 0, 0, 1)
    first = place.copy(0, 0).read_bytes()
    perturb.perturb(place, 0, 0, 1)
    assert place.copy(0, 0).read_bytes() == first
    perturb.perturb(place, 0, 0, 2)
    assert place.copy(0, 0).read_bytes() != first


def test_copies_have_another_pitch_and_the_same_length() -> None:
    time = np.arange(32000) / 16000
    phase = 150 * time
    audio = 0.1 * np.sum([np.cos(2 * np.pi * h * phase) for h in range(1, 20)], 0)
    made = perturb.another_voice(audio, np.random.default_rng(3))
    assert made.shape == audio.shape
    spectrum = np.abs(np.fft.rfft(made[8000:24000]))
    assert spectrum[145:155].max() < 0.2 * spectrum.max()


def test_levels_are_those_of_full_scale() -> None:
    sine = np.sin(2 * np.pi * 400 * np.arange(16000) / 16000)
    found = contours.levels(sine)
    assert len(found) == 101
    np.testing.assert_allclose(found[5:-5], -3.01, atol=0.02)
    assert contours.levels(np.zeros(1600)).tolist() == [contours.FLOOR_DB] * 11


def test_held_out_are_evenly_spread() -> None:
    learned, held_out = make.divided(list(range(620)))
    assert len(held_out) == 30
    assert sorted(learned + held_out) == list(range(620))
    assert np.ptp(np.diff(held_out)) == 0


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    def fail(path: Path) -> None:
        path.write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        write_whole(tmp_path / "a.npz", fail)
    assert list(tmp_path.iterdir()) == []


def test_a_job_that_fails_ends_the_step() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        done.append(number)
        if number == 2:
            raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        jobs.run("test", work, [(1,), (2,), (3,)], 1)
    assert done == [1, 2]
