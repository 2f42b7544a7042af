"""Sound file formats by extension."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from ...errors import OutputError, Problem


@dataclass(frozen=True, slots=True)
class Format:
    """A format to write.

    Attributes:
        container: libsndfile's name of the file format.
        subtype: libsndfile's name of the encoding.
    """

    container: str
    subtype: str

    @property
    def lossless_bytes(self) -> int | None:
        """Bytes per sample; None for compressed formats."""
        return None if self.container == "FLAC" else _BYTES.get(self.subtype)

    @property
    def clips(self) -> bool:
        """Whether values beyond -1..1 are clipped."""
        return self.subtype not in ("FLOAT", "DOUBLE")

    def __str__(self) -> str:
        return f"{self.container} {self.subtype}"


WRITABLE = {
    ".wav": Format("WAV", "PCM_24"),
    ".flac": Format("FLAC", "PCM_24"),
    ".ogg": Format("OGG", "VORBIS"),
    ".opus": Format("OGG", "OPUS"),
    ".mp3": Format("MP3", "MPEG_LAYER_III"),
    ".aiff": Format("AIFF", "PCM_24"),
    ".aif": Format("AIFF", "PCM_24"),
    ".caf": Format("CAF", "PCM_24"),
    ".au": Format("AU", "PCM_24"),
    ".w64": Format("W64", "PCM_24"),
    ".rf64": Format("RF64", "PCM_24"),
}
"""Extensions that can be written, with their default encodings. 24 bits have more resolution than
converters and ears, so no dither is needed."""

READABLE = {
    *WRITABLE,
    *(".wave", ".bwf", ".oga", ".mp2", ".mpga", ".aifc", ".snd", ".sph", ".nist", ".sd2", ".voc"),
    ".avr",
}
"""Extensions of audio files in folders. A file that is named itself may have any extension."""

CONVERTIBLE = {
    *(".m4a", ".m4b", ".m4r", ".mp4", ".m4v", ".mov", ".3gp", ".3g2", ".aac", ".wma", ".wmv"),
    *(".webm", ".weba", ".mkv", ".mka", ".avi", ".flv", ".mpg", ".mpeg", ".vob", ".amr", ".awb"),
    *(".ac3", ".eac3", ".dts", ".ape", ".wv", ".tta", ".tak", ".mpc", ".ofr", ".shn", ".spx"),
    *(".ra", ".rm", ".dsf", ".dff", ".asf", ".qcp", ".silk"),
}
"""Extensions of files with sound that libsndfile does not read, and ffmpeg does."""

_COMPRESSED = {
    "MPEG_LAYER_III": ("MPEG_LAYER_III",),
    "VORBIS": ("VORBIS", "OPUS"),
    "OPUS": ("OPUS",),
}
"""Default encoding of a compressed format -> those that libsndfile writes, not only reads."""

_BYTES = {
    "PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4,
    "FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1,
}  # fmt: skip


def format_of(path: Path, subtype: str | None = None) -> Format:
    """The format of a file to be written.

    Args:
        path: the file; its extension decides the container.
        subtype: libsndfile's name of an encoding, in upper or lower case, such as ``pcm_16``; None
            for the default of the extension.

    Raises:
        OutputError: if the extension is unknown, or the container has no such encoding.
    """
    known = WRITABLE.get(path.suffix.lower())
    endings = " ".join(WRITABLE)
    if known is None:
        found = f"ends in {path.suffix}" if path.suffix else "has no extension"
        text = f"{path} {found}, so its format is unknown; known: {endings}"
        fix = str(path.with_suffix(".wav"))
        raise OutputError(Problem("unknown-format", text, fix=fix))
    if subtype is None:
        return known
    wanted = subtype.upper().replace("-", "_")
    possible = _COMPRESSED.get(known.subtype)
    if possible is None:
        possible = tuple(soundfile.available_subtypes(known.container))
    if wanted not in possible:
        text = f"{path.suffix} files have no encoding {subtype!r}; they have: {_lower(possible)}"
        close = difflib.get_close_matches(wanted, possible, 1, 0.6)
        fix = f"--subtype {(close[0] if close else known.subtype).lower()}"
        if len(possible) == 1:
            fix = "leave --subtype out; --bitrate or --quality choose the size"
        raise OutputError(Problem("unknown-subtype", text, fix=fix))
    return Format(known.container, wanted)


def _lower(names: Sequence[str]) -> str:
    return ", ".join(name.lower() for name in names)
