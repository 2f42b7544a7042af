"""The list of clips, and drawing it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.training.evaluate import choose, clips

RATE = 16000


def test_bundled_list_is_balanced() -> None:
    found = clips.read()
    assert len({clip.speaker for clip in found}) == len(found) == 24
    assert sum(clip.sex == "M" for clip in found) == 12
    assert all(5 <= clip.seconds <= 7 for clip in found)
    assert not {clip.speaker for clip in found} & choose.KNOWN


def test_list_is_read_as_written(tmp_path: Path) -> None:
    found = clips.read()[:3]
    clips.write(tmp_path / "a.csv", found)
    assert clips.read(tmp_path / "a.csv") == found
    (tmp_path / "b.csv").write_text("name,sex\n1-1-1,M\n")
    with pytest.raises(SystemExit, match="expected: a CSV file with name,sex,median_hz,seconds"):
        clips.read(tmp_path / "b.csv")


def test_missing_clips_are_named(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "1-2-3.flac", np.zeros(10), RATE)
    assert clips.located(tmp_path, ["1-2-3"]) == {"1-2-3": tmp_path / "1-2-3.flac"}
    with pytest.raises(SystemExit, match="lacks 1 of 2 clips: 4-5-6"):
        clips.located(tmp_path, ["1-2-3", "4-5-6"])
    with pytest.raises(SystemExit, match="there is no folder"):
        clips.located(tmp_path / "no", ["1-2-3"])


def test_clips_are_mono_at_16_khz(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "1-2-3.flac", np.zeros((48000, 2)), 24000)
    assert clips.cut(tmp_path / "1-2-3.flac", 1.5).shape == (24000,)


def test_clips_end_at_a_quiet_point() -> None:
    audio = 0.1 * np.random.default_rng(1).standard_normal(int(choose.LONGEST * RATE))
    audio[int(5.9 * RATE) : int(6.1 * RATE)] *= 0.01
    assert choose.clip_end(audio) == pytest.approx(6.0, abs=0.06)
    assert choose.clip_end(audio[: int(5.5 * RATE)]) == 5.5


def test_draw_is_random_and_balanced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pitches = dict(zip(range(10), [100, 105, 110, 115, 160, 200, 205, 210, 215, 120], strict=True))
    for speaker, hertz in pitches.items():
        audio = 0.1 * np.cos(2 * np.pi * hertz * np.arange(6 * RATE) / RATE)
        soundfile.write(tmp_path / f"{speaker}-1-0000.flac", audio, RATE)
    soundfile.write(tmp_path / "2609-1-0000.flac", audio, RATE)
    soundfile.write(tmp_path / "11-1-0000.flac", audio[: 2 * RATE], RATE)

    def f0_contour(given: np.ndarray) -> np.ndarray:
        peak = np.abs(np.fft.rfft(given)).argmax() * RATE / len(given)
        return np.full(100, peak)

    monkeypatch.setattr(choose, "f0_contour", f0_contour)
    found = choose.draw_clips(tmp_path, 3, seed=1)
    assert [clip.sex for clip in found] == list("MMMFFF")
    assert found == choose.draw_clips(tmp_path, 3, seed=1)
    assert {c.name for c in found} != {c.name for c in choose.draw_clips(tmp_path, 3, seed=2)}
    assert not {clip.speaker for clip in found} & {"4", "2609", "11"}
    with pytest.raises(SystemExit, match="too few speakers for 9 of each sex: 5 M, 4 F"):
        choose.draw_clips(tmp_path, 9)
