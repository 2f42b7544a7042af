"""The form of an output: rate, channels, encoding, bitrate; and what each format can hold."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from voicegraph.schemas.quantities import format_rate

from ...errors import OutputError, Problem
from ...signals import Audio
from .formats import Format, format_of

_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)
_OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
_LIMITS: dict[str, tuple[tuple[int, ...], int, int]] = {
    # name -> its rates if they are few, highest rate, channels. libsndfile cannot be asked: it
    # crashes with Vorbis above these limits.
    "MP3": (_MP3_RATES, 48000, 2),
    "OPUS": (_OPUS_RATES, 48000, 255),
    "VORBIS": ((), 200_000, 255),
    "FLAC": ((), 655_350, 8),
}
_ANY = ((), (1 << 31) - 1, 1024)
_MP3_BITRATES = (
    (32000, (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320)),
    (16000, (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160)),
    (0, (8, 16, 24, 32, 40, 48, 56, 64)),
)
"""From this sample rate on, the bitrates in kbit/s (MPEG-1, 2 and 2.5)."""
_OPUS_KBPS = (6, 256)
"""Bitrate of a channel."""
_OPUS_DEFAULT_KBPS = 64
_MOST_QUALITY = 10.0
_DEFAULT_QUALITY = {"MP3": 8.0, "VORBIS": 5.0}
"""LAME's -V2, about 190 kbit/s of stereo; and Vorbis q5, about 160."""
_HARDEST = 0.999
"""libsndfile takes no compression of exactly 1."""


@dataclass(frozen=True, slots=True)
class OutputForm:
    """What is asked of an output; None leaves it to the pipeline or the format.

    Attributes:
        rate: samples a second.
        channels: number of channels: 1, or any number that mono is copied to.
        subtype: libsndfile's name of the encoding.
        bitrate: kbit/s of all channels together, for MP3 (constant) and Opus (average).
        quality: 0 to 10, for MP3 and Vorbis with a variable bitrate.
    """

    rate: int | None = None
    channels: int | None = None
    subtype: str | None = None
    bitrate: int | None = None
    quality: float | None = None

    def applied(self, kind: Audio) -> Audio:
        """The type of the output, of a pipeline's output ``kind``.

        Raises:
            OutputError: if its channels cannot become those that are asked for.
        """
        if self.channels is not None and 1 != kind.channels != self.channels != 1:
            text = f"an output of {kind.channels} channels cannot become one of {self.channels}"
            raise OutputError(
                Problem("channels", text, fix=f"--channels 1, or --channels {kind.channels}")
            )
        rate = kind.rate if self.rate is None else Fraction(self.rate)
        return Audio(rate, self.channels or kind.channels)


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file is written.

    Attributes:
        format: container and encoding.
        compression: libsndfile's compression level, 0 to 1; None for uncompressed formats.
        bitrate_mode: of MP3: ``CONSTANT`` or ``VARIABLE``.
        detail: bitrate or quality, for people; empty if the format has none.
    """

    format: Format
    compression: float | None = None
    bitrate_mode: str | None = None
    detail: str = ""

    def options(self) -> dict[str, Any]:
        """Keyword arguments for ``soundfile.SoundFile``."""
        found: dict[str, Any] = {}
        if self.compression is not None:
            found["compression_level"] = min(self.compression, _HARDEST)
        if self.bitrate_mode is not None:
            found["bitrate_mode"] = self.bitrate_mode
        return found

    def __str__(self) -> str:
        return f"{self.format} {self.detail}".rstrip()


def encoding_for(path: Path, kind: Audio, form: OutputForm) -> Encoding:
    """How a file is written; its extension decides the container.

    Args:
        path: the file.
        kind: rate and channel count of the samples.
        form: what is asked of it; ``kind`` has its rate and channels already.

    Raises:
        OutputError: if the extension is unknown, or the format cannot hold this. The fix says what
            it can hold.
    """
    found = format_of(path, form.subtype)
    codec = _codec(found)
    _check_limits(path, found, codec, kind)
    if form.bitrate is not None and form.quality is not None:
        text = "--bitrate and --quality exclude each other: one follows from the other"
        raise OutputError(Problem("bitrate", text, fix=f"--bitrate {form.bitrate}"))
    if form.bitrate is not None:
        return _with_bitrate(path, found, codec, kind, form.bitrate)
    if form.quality is not None and codec not in _DEFAULT_QUALITY:
        fix = "leave --quality out" + (", or give --bitrate" if codec == "OPUS" else "")
        text = f"{path}: {found} has no --quality; MP3 and Ogg Vorbis have"
        raise OutputError(Problem("quality", text, fix=fix))
    if codec == "OPUS":
        return _with_bitrate(path, found, codec, kind, _OPUS_DEFAULT_KBPS * kind.channels)
    if codec in _DEFAULT_QUALITY:
        return _with_quality(found, codec, form.quality)
    return Encoding(found)


def _codec(found: Format) -> str:
    return found.container if found.container in ("MP3", "FLAC") else found.subtype


def _check_limits(path: Path, found: Format, codec: str, kind: Audio) -> None:
    rates, highest, channels = _LIMITS.get(codec, _ANY)
    rate = int(kind.rate)
    if kind.rate.denominator > 1:
        text = f"{path}: a sound file needs a whole number of Hz, found {kind.rate} Hz"
        fix = f"--rate {rate + 1}, or end the pipeline with dsp.resample"
        raise OutputError(Problem("rate-of-file", text, fix=fix))
    if kind.channels > channels:
        text = f"{path}: {found} holds at most {channels} channels, found {kind.channels}"
        fix = f"--channels 1, or {_as_wav(path)}"
        raise OutputError(Problem("format-cannot-hold", text, fix=fix))
    if rate <= highest and (not rates or rate in rates):
        return
    text = f"{path}: {found} cannot hold {format_rate(kind.rate)}"
    text += (
        f"; it holds {', '.join(map(str, rates))} Hz" if rates else f", but {highest} Hz at most"
    )
    nearest = min((one for one in rates if one >= rate), default=highest)
    fix = f"--rate {nearest}, or {_as_wav(path)}"
    raise OutputError(Problem("format-cannot-hold", text, fix=fix))


def _as_wav(path: Path) -> str:
    return f"write {path.with_suffix('.wav')}"


def _with_bitrate(path: Path, found: Format, codec: str, kind: Audio, kbps: int) -> Encoding:
    if codec == "OPUS":
        low, high = (limit * kind.channels for limit in _OPUS_KBPS)
        if not low <= kbps <= high:
            text = f"{path}: Opus takes {low} to {high} kbit/s for {kind.channels} channels"
            nearest = min(max(kbps, low), high)
            raise OutputError(
                Problem("bitrate", f"{text}, found {kbps}", fix=f"--bitrate {nearest}")
            )
        level = (high - kbps) / (high - low)
        return Encoding(found, level, detail=f"{kbps} kbit/s")
    if codec != "MP3":
        text = f"{path}: {found} has no --bitrate; MP3 and Opus have"
        fix = "--quality 5" if codec == "VORBIS" else "leave --bitrate out"
        raise OutputError(Problem("bitrate", text, fix=fix))
    known = next(rates for least, rates in _MP3_BITRATES if int(kind.rate) >= least)
    if kbps not in known:
        nearest = min(known, key=lambda one: abs(one - kbps))
        text = (
            f"{path}: MP3 at {format_rate(kind.rate)} has no {kbps} kbit/s; it has "
            f"{', '.join(map(str, known))}"
        )
        raise OutputError(Problem("bitrate", text, fix=f"--bitrate {nearest}"))
    level = (known[-1] - kbps) / (known[-1] - known[0])
    return Encoding(found, level, "CONSTANT", f"{kbps} kbit/s")


def _with_quality(found: Format, codec: str, quality: float | None) -> Encoding:
    value = _DEFAULT_QUALITY[codec] if quality is None else quality
    if not 0 <= value <= _MOST_QUALITY:
        text = f"--quality is a number from 0 to 10 (best), found {value:g}"
        nearest = min(max(value, 0.0), _MOST_QUALITY)
        raise OutputError(Problem("quality", text, fix=f"--quality {nearest:g}"))
    mode = "VARIABLE" if codec == "MP3" else None
    return Encoding(found, 1 - value / _MOST_QUALITY, mode, f"quality {value:g}")
