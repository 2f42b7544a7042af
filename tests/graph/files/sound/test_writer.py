"""``AudioWriter``: formats, clipping, sizes, and disks that give out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.sound import _verification as verification
from voicegraph.graph.files.sound._verification import shortfall
from voicegraph.graph.files.sound.formats import WRITABLE
from voicegraph.graph.files.sound.writer import AudioWriter, decibels
from voicegraph.graph.signals import Audio

from ....tolerance import STEP_24_BIT, assert_close

MONO = Audio(Fraction(48000), 1)
STEREO = Audio(Fraction(48000), 2)
LOSSY = {".ogg", ".opus", ".mp3"}
Noise = Callable[..., np.ndarray]


@pytest.mark.parametrize("suffix", WRITABLE)
def test_every_format_round_trips(tmp_path: Path, noise: Noise, suffix: str) -> None:
    path, made = tmp_path / f"a{suffix}", noise(20_000, 2)
    with AudioWriter(path, STEREO) as writer:
        for start in range(0, 20_000, 7000):
            writer.write(made[:, start : start + 7000])
    found, rate = soundfile.read(path, dtype="float32", always_2d=True)
    info = soundfile.info(path)
    assert (rate, info.format, info.subtype) == (
        48000,
        WRITABLE[suffix].container,
        WRITABLE[suffix].subtype,
    )
    assert found.shape == (20_000, 2)
    if suffix not in LOSSY:
        assert_close(found.T, made, STEP_24_BIT)
    assert list(tmp_path.iterdir()) == [path]


def test_default_is_24_bits_and_float_is_exact(tmp_path: Path) -> None:
    loud = np.array([[0.5, 1.5, -2.0, 1.0]], np.float32)
    for subtype, clipped in ((None, 2), ("pcm_16", 2), ("float", 0)):
        with AudioWriter(tmp_path / f"{subtype}.wav", MONO, subtype=subtype) as writer:
            writer.write(loud)
        assert writer.clipped == clipped
        assert writer.peak == 2.0
    found, _ = soundfile.read(tmp_path / "None.wav")
    np.testing.assert_allclose(found, [0.5, 1.0, -1.0, 1.0], atol=2**-22)
    assert soundfile.read(tmp_path / "float.wav")[0][2] == -2.0
    assert soundfile.info(tmp_path / "None.wav").subtype == "PCM_24"


@pytest.mark.parametrize("suffix", sorted(LOSSY))
def test_compressed_formats_count_clipping_too(tmp_path: Path, suffix: str) -> None:
    with AudioWriter(tmp_path / f"a{suffix}", MONO) as writer:
        writer.write(np.full((1, 4000), 1.5, np.float32))
    assert writer.clipped == 4000


def test_nothing_is_left_after_an_error(tmp_path: Path, noise: Noise) -> None:
    def fail() -> None:
        with AudioWriter(tmp_path / "a.wav", MONO) as writer:
            writer.write(noise(5000))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "kind", "fix"),
    [
        ("a.mp3", Audio(Fraction(96000), 1), "--rate 48000"),
        ("a.mp3", Audio(Fraction(40000), 1), "--rate 44100"),
        ("a.mp3", Audio(Fraction(48000), 3), "--channels 1"),
        ("a.opus", Audio(Fraction(44100), 1), "--rate 48000"),
        ("a.flac", Audio(Fraction(48000), 9), "--channels 1"),
        ("a.ogg", Audio(Fraction(384000), 1), "--rate 200000"),
    ],
)
def test_format_that_cannot_hold_the_type(tmp_path: Path, name: str, kind: Audio, fix: str) -> None:
    with pytest.raises(OutputError, match=r"cannot hold|holds at most") as caught:
        AudioWriter(tmp_path / name, kind)
    assert caught.value.problems[0].fix == f"{fix}, or write {tmp_path / 'a.wav'}"
    assert list(tmp_path.iterdir()) == []


def test_sample_rate_must_be_a_whole_number(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="whole number of Hz, found 16000/3 Hz"):
        AudioWriter(tmp_path / "a.wav", Audio(Fraction(16000, 3), 1))


def test_existing_file_is_kept_without_force(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_text("old")
    with pytest.raises(OutputError, match="exists"):
        AudioWriter(path, MONO)
    assert path.read_text() == "old"


def test_wav_over_4_gib_becomes_rf64(tmp_path: Path, noise: Noise, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1 << 50))
    path = tmp_path / "a.wav"
    with AudioWriter(path, MONO, frames=(1 << 32) // 3) as writer:
        writer.write(noise(5000))
    assert soundfile.info(path).format == "RF64"
    assert path.read_bytes()[:4] == b"RF64"
    with AudioWriter(path, MONO, frames=(1 << 31) // 3, force=True) as writer:
        writer.write(noise(5000))
    assert soundfile.info(path).format == "WAV"


def test_wav_of_unknown_length_stops_at_4_gib(tmp_path: Path, noise: Noise) -> None:
    writer = AudioWriter(tmp_path / "a.wav", MONO)
    writer.frames = (1 << 32) // 3 - 30_000
    with pytest.raises(OutputError, match="a WAV file holds 4 GiB") as caught, writer:
        writer.write(noise(50_000))
    assert list(tmp_path.iterdir()) == []
    assert caught.value.problems[0].fix == str(tmp_path / "a.w64")


# ---- disks that give out ----------------------------------------------------------------------


def test_file_larger_than_the_disk_is_refused_at_once(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1_000_000))
    with pytest.raises(OutputError, match=r"needs 1\.2 MB, but the disk has 1\.0 MB left"):
        AudioWriter(tmp_path / "a.wav", MONO, frames=400_000)
    assert list(tmp_path.iterdir()) == []


@contextmanager
def _files_of_at_most(size: int) -> Iterator[None]:
    """The system itself cuts writes off, as a full disk does."""
    resource = pytest.importorskip("resource", reason="needs POSIX limits")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("suffix", WRITABLE)
def test_disk_full_in_the_middle_is_reported(tmp_path: Path, noise: Noise, suffix: str) -> None:
    def fill() -> None:
        with AudioWriter(tmp_path / f"a{suffix}", MONO) as writer:
            for _ in range(40):
                writer.write(noise(48_000))

    with _files_of_at_most(50_000), pytest.raises(OutputError) as caught:
        fill()
    problem = caught.value.problems[0]
    assert problem.code in ("cannot-write", "disk-full")
    assert "cannot be continued after" in problem.message
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("suffix", WRITABLE)
@pytest.mark.parametrize("frames", range(24_000, 54_000, 3000))
def test_disk_full_at_the_end_is_reported(
    tmp_path: Path, noise: Noise, suffix: str, frames: int, capfd: pytest.CaptureFixture[str]
) -> None:
    """Encoders that swallow the last error are found out: the file is whole, or there is none."""
    path = tmp_path / f"a{suffix}"
    try:
        with _files_of_at_most(8192), AudioWriter(path, MONO) as writer:
            writer.write(noise(frames))
    except OutputError:
        assert list(tmp_path.iterdir()) == []
    else:
        assert soundfile.read(path)[0].shape == (frames,)
    assert "Traceback" not in capfd.readouterr().err


def test_full_disk_error_names_the_cause(tmp_path: Path, noise: Noise, monkeypatch) -> None:
    writer = AudioWriter(tmp_path / "a.wav", MONO)

    def fail(*_: object) -> None:
        raise soundfile.LibsndfileError(2)

    monkeypatch.setattr(soundfile.SoundFile, "write", fail)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=4096))
    with pytest.raises(OutputError, match=r"after 0\.0 s: the disk is full"), writer:
        writer.write(noise(5000))
    assert list(tmp_path.iterdir()) == []


def test_incomplete_file_is_detected(tmp_path: Path, noise: Noise, monkeypatch) -> None:
    monkeypatch.setattr(verification.soundfile, "info", lambda _: SimpleNamespace(frames=4999))
    writer = AudioWriter(tmp_path / "a.flac", MONO)
    with pytest.raises(OutputError, match="only 4999 of 5000 samples were written"), writer:
        writer.write(noise(5000))
    assert list(tmp_path.iterdir()) == []


def test_truncated_mp3_is_detected(tmp_path: Path, noise: Noise) -> None:
    path = tmp_path / "a.mp3"
    with AudioWriter(path, MONO) as writer:
        writer.write(noise(50_000))
    assert shortfall(path, writer.format, 50_000) is None
    data = path.read_bytes()
    path.write_bytes(data[:-300])
    missing = shortfall(path, writer.format, 50_000)
    assert missing == f"only {len(data) - 300} of {len(data)} bytes were written"


def test_peak_in_dbfs() -> None:
    assert decibels(0.0) is None
    assert decibels(0.1) == pytest.approx(-20)
