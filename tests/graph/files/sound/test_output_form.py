"""The form of an output: what formats can hold, and what they are asked for."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.sound.output_form import OutputForm, encoding_for
from voicegraph.graph.files.sound.writer import AudioWriter
from voicegraph.graph.signals import Audio


def _kind(rate: int = 48000, channels: int = 1) -> Audio:
    return Audio(Fraction(rate), channels)


def _fix(name: str, kind: Audio, form: OutputForm) -> str | None:
    with pytest.raises(OutputError) as caught:
        encoding_for(Path(name), kind, form)
    assert len(caught.value.problems) == 1
    return caught.value.problems[0].fix


@pytest.mark.parametrize("rate", [8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000])
def test_every_rate_of_mp3_can_be_written_and_no_other(tmp_path: Path, rate: int) -> None:
    with AudioWriter(tmp_path / "a.mp3", _kind(rate)) as writer:
        writer.write(np.zeros((1, 2000), np.float32))
    assert soundfile.info(tmp_path / "a.mp3").samplerate == rate
    assert _fix("a.mp3", _kind(rate - 1), OutputForm()) == f"--rate {rate}, or write a.wav"


@pytest.mark.parametrize(
    ("name", "kind", "kbps"),
    [
        ("a.mp3", _kind(44100, 2), 192),
        ("a.mp3", _kind(48000), 32),
        ("a.mp3", _kind(48000), 320),
        ("a.mp3", _kind(22050), 64),
        ("a.mp3", _kind(8000), 16),
        ("a.opus", _kind(48000, 2), 96),
        ("a.opus", _kind(48000, 1), 24),
    ],
)
def test_bitrate_is_that_of_the_file(tmp_path: Path, name: str, kind: Audio, kbps: int) -> None:
    path, seconds = tmp_path / name, 4
    frames = seconds * int(kind.rate)
    noise = 0.1 * np.random.default_rng(0).standard_normal((kind.channels, frames))
    with AudioWriter(path, kind, form=OutputForm(bitrate=kbps)) as writer:
        writer.write(noise.astype(np.float32))
    assert str(writer.encoding).endswith(f" {kbps} kbit/s")
    assert path.stat().st_size * 8 / seconds / 1000 == pytest.approx(kbps, rel=0.2)


def test_quality_orders_sizes_of_variable_bitrates(tmp_path: Path) -> None:
    noise = 0.1 * np.random.default_rng(0).standard_normal((1, 48_000))
    for name in ("a.mp3", "a.ogg"):
        sizes: list[int] = []
        for quality in (0.0, None, 10.0):
            path = tmp_path / name
            with AudioWriter(path, _kind(), form=OutputForm(quality=quality), force=True) as file:
                file.write(noise.astype(np.float32))
            sizes.append(path.stat().st_size)
        assert sizes == sorted(set(sizes))


@pytest.mark.parametrize(
    ("name", "kind", "form", "fix"),
    [
        ("a.mp3", _kind(), OutputForm(bitrate=100), "--bitrate 96"),
        ("a.mp3", _kind(16000), OutputForm(bitrate=320), "--bitrate 160"),
        ("a.opus", _kind(channels=2), OutputForm(bitrate=900), "--bitrate 512"),
        ("a.ogg", _kind(), OutputForm(bitrate=96), "--quality 5"),
        ("a.flac", _kind(), OutputForm(bitrate=96), "leave --bitrate out"),
        ("a.wav", _kind(), OutputForm(quality=5), "leave --quality out"),
        ("a.opus", _kind(), OutputForm(quality=5), "leave --quality out, or give --bitrate"),
        ("a.mp3", _kind(), OutputForm(quality=11), "--quality 10"),
        ("a.mp3", _kind(), OutputForm(quality=1, bitrate=128), "--bitrate 128"),
        ("a.wav", Audio(Fraction(16000, 3), 1), OutputForm(), None),
    ],
)
def test_impossible_forms_are_answered_by_those_that_fit(
    name: str, kind: Audio, form: OutputForm, fix: str | None
) -> None:
    found = _fix(name, kind, form)
    assert found is not None
    assert fix is None or found == fix


def test_channels_are_mixed_or_copied_from_one() -> None:
    assert OutputForm(channels=2).applied(_kind()) == _kind(channels=2)
    assert OutputForm(channels=1).applied(_kind(channels=6)) == _kind()
    assert OutputForm(rate=44100).applied(_kind(channels=6)) == _kind(44100, 6)
    with pytest.raises(OutputError, match="6 channels cannot become one of 2"):
        OutputForm(channels=2).applied(_kind(channels=6))
