"""Recognises files by their first bytes: what libsndfile cannot read is called by its name."""

from __future__ import annotations

import os
import struct
from dataclasses import dataclass
from pathlib import Path

from ...regular_file import open_regular
from ._chunks import ChunkFamily

HEAD = 4096
"""Bytes that are looked at."""


@dataclass(frozen=True, slots=True)
class Recognised:
    """What a file is.

    Attributes:
        what: with its article, for a message.
        sound: it may hold sound, which ffmpeg can convert.
        certain: its first bytes are enough to tell; else its ending has to agree.
        whole: it could be converted as it is; False if it is a fragment.
    """

    what: str
    sound: bool
    certain: bool = True
    whole: bool = True


_SOUND: tuple[tuple[int, bytes, str], ...] = (
    (0, b"\x1aE\xdf\xa3", "a Matroska file (mkv, mka, webm)"),
    (0, b"0&\xb2u\x8ef\xcf\x11", "a Windows Media file (wma, wmv, asf)"),
    (0, b"ADIF", "an AAC file"),
    (0, b"MAC ", "a Monkey's Audio file (ape)"),
    (0, b"wvpk", "a WavPack file (wv)"),
    (0, b"TTA1", "a True Audio file (tta)"),
    (0, b"tBaK", "a TAK file"),
    (0, b"OFR ", "an OptimFROG file (ofr)"),
    (0, b"MPCK", "a Musepack file (mpc)"),
    (0, b"MP+", "a Musepack file (mpc)"),
    (0, b"DSD ", "a DSD file (dsf)"),
    (0, b"FRM8", "a DSD file (dff)"),
    (0, b"ajkg", "a Shorten file (shn)"),
    (0, b"#!AMR", "an AMR file"),
    (0, b"#!iLBC", "an iLBC file"),
    (0, b".RMF", "a RealMedia file (rm)"),
    (0, b".ra\xfd", "a RealAudio file (ra)"),
    (0, b"FLV\x01", "a Flash video (flv)"),
    (0, b"\0\0\x01\xba", "an MPEG video (mpg, vob)"),
    (0, b"\x7f\xfe\x80\x01", "a DTS file"),
    (0, b"\xfe\x7f\x01\x80", "a DTS file"),
    (4, b"moov", "a QuickTime file (mov)"),
    (4, b"mdat", "a QuickTime file (mov)"),
    (4, b"wide", "a QuickTime file (mov)"),
)
_WEAK_SOUND: tuple[tuple[bytes, str], ...] = (
    (b"\x0bw", "an AC-3 file (ac3, eac3)"),
    (b"w\x0b", "an AC-3 file (ac3, eac3)"),
)
_OTHER: tuple[tuple[int, bytes, str], ...] = (
    (0, b"MThd", "a MIDI file, which holds notes and no sound"),
    (0, b"\x89PNG", "a PNG picture"),
    (0, b"\xff\xd8\xff", "a JPEG picture"),
    (0, b"GIF8", "a GIF picture"),
    (0, b"%PDF", "a PDF document"),
    (0, b"PK\x03\x04", "a ZIP archive"),
    (0, b"\x1f\x8b", "a gzip archive"),
    (0, b"7z\xbc\xaf", "a 7-Zip archive"),
    (0, b"Rar!", "a RAR archive"),
    (0, b"\x7fELF", "a program"),
    (0, b"MZ", "a program"),
)
_RIFF_FORMS = {
    b"AVI ": Recognised("an AVI video", True),
    b"QLCM": Recognised("a QCP recording of a phone", True),
    b"CDXA": Recognised("a video CD file", True),
    b"WEBP": Recognised("a WebP picture", False),
    b"RMID": Recognised("a MIDI file, which holds notes and no sound", False),
    b"sfbk": Recognised("a SoundFont, which holds instruments and no recording", False),
}
_PICTURE_BRANDS = (b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif")
_READABLE = (b"fLaC", b"OggS", b".snd", b"dns.", b"caff", b"ID3", b"RF64", b"BW64")


def recognise(path: Path) -> Recognised | None:
    """What a file is by its first bytes; None if they belong to nothing that is known here.

    Raises:
        OSError: if it cannot be read.
    """
    with open_regular(path) as file:
        head = file.read(HEAD)
    form = head[8:12]
    if head[:4] in (b"RIFF", b"RIFX", b"RF64", b"BW64") and form == b"WAVE":
        return _wave(path, head)
    if head[:4] == b"RIFF":
        return _RIFF_FORMS.get(form, Recognised("a RIFF file of a kind without sound", False))
    if head[:4] == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _aiff(path, head)
    if head[:4] in (b"riff", b"caff", b"OggS", b"fLaC", b".snd", b"dns.") or head[:3] == b"ID3":
        return _container(head)
    return _by_signature(head)


def begins_as_readable(path: Path) -> bool:
    """Whether a file begins as those that libsndfile reads, whatever its ending.

    Raises:
        OSError: if it cannot be read.
    """
    with open_regular(path) as file:
        head = file.read(28)
    if head[:4] in (b"RIFF", b"RIFX", b"FORM"):
        return head[8:12] in (b"WAVE", b"AIFF", b"AIFC", b"8SVX")
    return head.startswith(_READABLE) or (head[:4] == b"riff" and head[24:28] == b"wave")


def _by_signature(head: bytes) -> Recognised | None:
    if head[4:8] == b"ftyp":
        if head[8:12] in _PICTURE_BRANDS:
            return Recognised("an HEIF picture", False)
        return Recognised("an MP4 file (m4a, mp4, mov, 3gp)", True)
    for offset, magic, what in _SOUND:
        if head[offset : offset + len(magic)] == magic:
            return Recognised(what, True)
    for offset, magic, what in _OTHER:
        if head[offset : offset + len(magic)] == magic:
            return Recognised(what, False)
    if head[1:10] == b"#!SILK_V3" or head[:9] == b"#!SILK_V3":
        return Recognised("a SILK recording of a messenger", False)
    if head[:1] == b"G" and head[188:189] == b"G" and head[376:377] == b"G":
        return Recognised("an MPEG transport stream (ts)", True)
    if len(head) > 1 and head[0] == 0xFF and head[1] & 0xF6 == 0xF0:
        return Recognised("an AAC file", True, certain=False)
    for magic, what in _WEAK_SOUND:
        if head.startswith(magic):
            return Recognised(what, True, certain=False)
    return _text(head)


def _text(head: bytes) -> Recognised | None:
    if head.lstrip()[:15].lower().startswith((b"<!doctype html", b"<html")):
        what = "a web page, perhaps an error page instead of the download"
        return Recognised(what, False)
    if head and all(byte >= 32 or byte in b"\t\r\n" for byte in head):
        return Recognised("text", False)
    return None


_WAVE_CODECS = {
    0x0002: "MS ADPCM", 0x0006: "A-law", 0x0007: "mu-law", 0x0009: "DTS", 0x0011: "IMA ADPCM",
    0x0022: "TrueSpeech", 0x0031: "GSM 6.10", 0x0042: "G.723", 0x0045: "G.726", 0x0050: "MPEG",
    0x0055: "MP3", 0x0061: "Duck DK4 ADPCM", 0x0062: "Duck DK3 ADPCM", 0x0064: "G.726",
    0x00FF: "AAC", 0x0130: "Sipro", 0x0160: "WMA 1", 0x0161: "WMA 2", 0x0162: "WMA Pro",
    0x0163: "WMA Lossless", 0x0270: "ATRAC3", 0x1600: "AAC", 0x1602: "AAC", 0x1610: "AAC",
    0x2000: "AC-3", 0x2001: "DTS", 0x674F: "Vorbis", 0x6750: "Vorbis", 0x6751: "Vorbis",
    0x704F: "Opus", 0x706D: "AAC", 0xF1AC: "FLAC",
}  # fmt: skip
"""Names of the codecs in WAV files, by Microsoft's numbers."""
_PLAIN = (0x0001, 0x0003)
_EXTENSIBLE = 0xFFFE


def _wave(path: Path, head: bytes) -> Recognised:
    order = ">" if head[:4] == b"RIFX" else "<"
    found, has_samples = _chunks(path, ChunkFamily(12, order, False, False, 2, b"data"))
    layout = found.get(b"fmt ", b"")
    if len(layout) < 16:
        return Recognised("a WAV file that ends in its header", True, whole=False)
    tag, channels, rate = struct.unpack_from(f"{order}HHI", layout)
    if tag == _EXTENSIBLE and len(layout) >= 26:
        tag = struct.unpack_from(f"{order}H", layout, 24)[0]
    if not has_samples:
        return Recognised("a WAV file without samples", True, whole=False)
    if tag not in _PLAIN:
        name = f" ({_WAVE_CODECS[tag]})" if tag in _WAVE_CODECS else ""
        return Recognised(f"a WAV file with codec 0x{tag:04X}{name}", True)
    bits = struct.unpack_from(f"{order}H", layout, 14)[0]
    what = f"a WAV file of an unusual form (channels {channels}, {rate} Hz, {bits} bits)"
    return Recognised(what, True, whole=channels > 0 and rate > 0)


def _aiff(path: Path, head: bytes) -> Recognised:
    found, has_samples = _chunks(path, ChunkFamily(12, ">", False, False, 2, b"SSND"))
    kind = "an AIFC file" if head[8:12] == b"AIFC" else "an AIFF file"
    layout = found.get(b"COMM", b"")
    if not has_samples or len(layout) < 18:
        return Recognised(f"{kind} without samples", True, whole=False)
    codec = layout[18:22].decode("latin-1").strip("\0 ")
    return Recognised(f"{kind} with codec {codec!r}" if codec else kind, True)


def _chunks(path: Path, family: ChunkFamily) -> tuple[dict[bytes, bytes], bool]:
    """The first bytes of each chunk; and whether there are samples."""
    found: dict[bytes, bytes] = {}
    with open_regular(path) as file:
        size = file.seek(0, os.SEEK_END)
        for chunk in family.walk(file, family.first):
            if chunk.name == family.samples and chunk.start < size:
                return found, True
            file.seek(chunk.start)
            found[chunk.name] = file.read(min(chunk.size, 64))
    return found, False


_OGG_CODECS = (
    (b"Speex   ", "Speex"),
    (b"\x80theora", "Theora video"),
    (b"\x7fFLAC", "FLAC"),
    (b"OpusHead", "Opus"),
    (b"\x01vorbis", "Vorbis"),
    (b"\x80kate", "subtitles"),
)


def _container(head: bytes) -> Recognised:
    if head[:4] == b"OggS":
        codec = next((name for mark, name in _OGG_CODECS if mark in head[:512]), None)
        if codec is None:
            return Recognised("an Ogg file with an unknown codec", True)
        if codec in ("Vorbis", "Opus"):
            what = f"an Ogg file ({codec}) that ends in its header or is damaged"
            return Recognised(what, True, whole=False)
        return Recognised(f"an Ogg file with codec {codec}", True)
    if head[:4] == b"caff":
        codec = head[28:32].decode("latin-1").strip() if head[8:12] == b"desc" else ""
        if not codec:
            return Recognised("a CAF file that ends in its header", True, whole=False)
        if codec in ("lpcm", "ulaw", "alaw"):
            return Recognised("a CAF file without samples", True, whole=False)
        return Recognised(f"a CAF file with codec {codec!r}", True)
    if head[:3] == b"ID3":
        what = "an MP3 file without sound: nothing but a tag (ID3) can be read"
        return Recognised(what, True, whole=False)
    name = {b"riff": "a Wave64 file", b"fLaC": "a FLAC file"}.get(head[:4], "an AU file")
    return Recognised(f"{name} that ends in its header or is damaged", True, whole=False)
