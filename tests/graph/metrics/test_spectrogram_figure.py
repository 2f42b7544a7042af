"""The bundled recording, F0 of a whole sound, and the spectrogram figure."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.metrics import spectrogram_figure
from voicegraph.graph.metrics.f0_contour import RATE, contour
from voicegraph.graph.metrics.spectrogram_figure import Sound, draw
from voicegraph.graph.signals import Audio


def test_recording_is_what_the_notice_says() -> None:
    info = soundfile.info(bundled_recording.path())
    notice = Path(__file__).parents[3] / "NOTICE"
    assert 6 <= info.duration <= 9
    assert (info.samplerate, info.channels) == (16000, 1)
    assert f"pipelines/audio/{bundled_recording.NAME}" in notice.read_text(encoding="utf-8")
    assert "CC BY 4.0" in bundled_recording.ATTRIBUTION


def test_speech_comes_at_any_rate() -> None:
    mono = bundled_recording.speech(Audio(Fraction(16000), 1))
    np.testing.assert_array_equal(
        mono[0], soundfile.read(bundled_recording.path(), dtype="float32")[0]
    )
    stereo = bundled_recording.speech(Audio(Fraction(44100), 2))
    assert stereo.shape == (2, pytest.approx(mono.shape[1] * 44100 / 16000, abs=1))
    np.testing.assert_array_equal(stereo[0], stereo[1])


def _voice(pitch: float, seconds: float) -> np.ndarray:
    time = np.arange(int(seconds * RATE)) / RATE
    harmonics = [0.2 / k * np.sin(2 * np.pi * k * pitch * time) for k in range(1, 9)]
    return np.stack(harmonics).sum(axis=0).astype(np.float32)


def test_contour_finds_the_pitch() -> None:
    sound = np.concatenate([np.zeros(8000, np.float32), _voice(150, 1.003)])
    track = contour(sound)
    assert track.shape == (151,)
    assert (track[:45] == 0).all()
    assert np.median(track[60:140]) == pytest.approx(150, rel=0.01)


def test_spectrogram_is_in_place() -> None:
    """A tone of 1 kHz from 0.5 s on has the right bin and start."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE) / RATE) * (np.arange(RATE) >= RATE / 2)
    found = spectrogram_figure.spectrogram_db(tone)
    assert found.shape[0] == spectrogram_figure._WINDOW // 2 + 1
    assert found[:, -100].argmax() == 1000 * spectrogram_figure._WINDOW // RATE
    level = found[1000 * spectrogram_figure._WINDOW // RATE]
    middle = np.argmax(level > level.max() - 6.1) * spectrogram_figure._HOP / RATE
    assert middle == pytest.approx(0.5, abs=0.01)


def test_picture_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture is an extra")
    for name, pitch in (("a.wav", 120.0), ("b.wav", 180.0)):
        soundfile.write(tmp_path / name, _voice(pitch, 0.5), RATE)
    sounds = [Sound(tmp_path / name, name) for name in ("a.wav", "b.wav")]
    target = tmp_path / "p.png"
    draw(sounds, target)
    assert target.read_bytes()[:4] == b"\x89PNG"
    with pytest.raises(OutputError, match="exists"):
        draw(sounds, target)
    draw(sounds, target, force=True)
    with pytest.raises(OutputError, match="is a file, not a folder"):
        draw(sounds, target / "p.png")
    assert {p.name for p in tmp_path.iterdir()} == {"a.wav", "b.wav", "p.png"}


def test_silence_can_be_drawn(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="the picture is an extra")
    soundfile.write(tmp_path / "a.wav", np.zeros((RATE, 2)), RATE)
    sound = Sound(tmp_path / "a.wav", "silence")
    draw([sound] * 3, tmp_path / "p.svg")
    assert "</svg>" in (tmp_path / "p.svg").read_text(encoding="utf-8")
