"""Sound file formats: which ending means what, and what a file that is no audio looks like."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from pathlib import Path

import soundfile

from ...errors import OutputError, Problem


@dataclass(frozen=True, slots=True)
class Format:
    """A way to write sound.

    Attributes:
        container: libsndfile's name of the file format.
        subtype: libsndfile's name of the encoding inside.
    """

    container: str
    subtype: str

    @property
    def lossless_bytes(self) -> int | None:
        """Bytes a sample, where every sample takes the same; None for what is compressed."""
        return None if self.container == "FLAC" else _BYTES.get(self.subtype)

    @property
    def clips(self) -> bool:
        """Whether values beyond -1..1 are lost."""
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
"""Endings that can be written, with the encoding each gets unless another is asked for. 24 bits
hold more than converters and ears do, so that nothing has to be dithered."""

READABLE = {*WRITABLE, ".wave", ".oga", ".aifc", ".snd", ".sph", ".nist", ".sd2", ".voc", ".avr"}
"""Endings by which files in a folder are taken for audio. A file named by itself may have any."""

_BYTES = {
    "PCM_S8": 1, "PCM_U8": 1, "PCM_16": 2, "PCM_24": 3, "PCM_32": 4,
    "FLOAT": 4, "DOUBLE": 8, "ULAW": 1, "ALAW": 1,
}  # fmt: skip

_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (4, b"ftyp", "an MP4 file (m4a, mp4, mov)"),
    (0, b"\x1aE\xdf\xa3", "a Matroska file (webm, mkv)"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "a Windows Media file (wma, wmv)"),
    (0, b"\xff\xf1", "AAC"),
    (0, b"\xff\xf9", "AAC"),
    (0, b"MAC ", "Monkey's Audio (ape)"),
    (0, b"wvpk", "WavPack"),
    (0, b"#!AMR", "AMR"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
)
_CONVERTIBLE = 8
"""So many of the signatures, from the first on, are sound that other programs can convert."""


def format_of(path: Path, subtype: str | None = None) -> Format:
    """How a file of this name is written.

    Args:
        path: the file; its ending decides the container.
        subtype: libsndfile's name of an encoding, in any case, such as ``pcm_16``; None takes the
            ending's own.

    Raises:
        OutputError: if the ending is unknown, or the encoding does not go with it.
    """
    known = WRITABLE.get(path.suffix.lower())
    endings = " ".join(WRITABLE)
    if known is None:
        found = f"ends in {path.suffix}" if path.suffix else "has no ending"
        text = f"{path} {found}, so its format is unknown; known: {endings}"
        fix = str(path.with_suffix(".wav"))
        raise OutputError(Problem("unknown-format", text, fix=fix))
    if subtype is None:
        return known
    wanted = subtype.upper().replace("-", "_")
    possible = list(soundfile.available_subtypes(known.container))
    if wanted not in possible:
        text = f"{path.suffix} files have no encoding {subtype!r}; they have: {_lower(possible)}"
        close = difflib.get_close_matches(wanted, possible, 1, 0.0)
        fix = f"--subtype {close[0].lower()}" if close else None
        raise OutputError(Problem("unknown-subtype", text, fix=fix))
    return Format(known.container, wanted)


def _lower(names: list[str]) -> str:
    return ", ".join(name.lower() for name in names)


def describe_magic(head: bytes) -> tuple[str, bool]:
    """What a file that libsndfile cannot read is, from its first bytes.

    Returns:
        A few words for a message, and whether another program could make audio of it.
    """
    for index, (offset, magic, what) in enumerate(_SIGNATURES):
        if head[offset : offset + len(magic)] == magic:
            return f"it looks like {what}", index < _CONVERTIBLE
    if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        return "it looks like a web page, perhaps an error page instead of the download", False
    if head and all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        return "it looks like text", False
    return "its first bytes belong to no known audio format", False
