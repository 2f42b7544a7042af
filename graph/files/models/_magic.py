"""Names the format of a file that is not a model, by its first bytes (magic numbers)."""

from __future__ import annotations

_ELSEWHERE = "get the model as .pth, .pt, .bin or .safetensors"
_UNPACK = "unpack it, and give the file inside"
_AUDIO = "give a model file here; sound files go to `voicegraph run`"

_MAGIC: tuple[tuple[bytes, str, str], ...] = (
    (b"version https://git-lfs", "a pointer of Git LFS, not the file itself", "git lfs pull"),
    (b"\x1f\x8b", "a gzip archive", _UNPACK),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    (b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    (b"\xfd7zXZ\x00", "an xz archive", _UNPACK),
    (b"BZh", "a bzip2 archive", _UNPACK),
    (b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    (b"PK\5\6", "an empty zip", "download it again"),
    (b"RIFF", "a WAV file", _AUDIO),
    (b"RF64", "a WAV file", _AUDIO),
    (b"ID3", "an MP3 file", _AUDIO),
    (b"\xff\xfb", "an MP3 file", _AUDIO),
    (b"fLaC", "a FLAC file", _AUDIO),
    (b"OggS", "an Ogg file", _AUDIO),
    (b"GGUF", "a GGUF model", _ELSEWHERE),
    (b"\x89HDF", "an HDF5 file, as Keras writes", _ELSEWHERE),
    (b"\x93NUMPY", "a NumPy array", _ELSEWHERE),
    (b"\x89PNG", "a picture", _ELSEWHERE),
    (b"\xff\xd8\xff", "a picture", _ELSEWHERE),
    (b"%PDF", "a PDF document", _ELSEWHERE),
    (b"MZ", "a Windows program", "do not run it; " + _ELSEWHERE),
    (b"\x7fELF", "a program", "do not run it; " + _ELSEWHERE),
)
_FAISS_MAGIC = (b"Ix", b"Iw", b"Iv", b"IH", b"II", b"IS", b"IB")
"""First characters of the four that name the type of a FAISS index."""


def describe_magic(start: bytes, size: int) -> tuple[str, str]:
    """The likely format of a file, with its article, and what to do about it.

    Args:
        start: the first 512 bytes of the file, or all of them.
        size: of the file in bytes.
    """
    if not size:
        return "an empty file", "download or copy it again"
    for magic, name, fix in _MAGIC:
        if start.startswith(magic):
            return name, fix
    if start[:2] in _FAISS_MAGIC and start[:4].isalnum():
        return "a FAISS index", "give it where an index is expected, and a model here"
    if not any(start):
        return "a file of zeros: a failed download", "download it again"
    if start[257:262] == b"ustar":
        return "a tar archive", _UNPACK
    if start[:1] == b"\x80" and start[1:2] in (b"\2", b"\3", b"\4", b"\5"):
        return "a pickle that PyTorch did not write", _ELSEWHERE
    if start[:1] == b"\x08" and any(word in start for word in (b"pytorch", b"onnx", b"\x12\x07")):
        return "an ONNX model", _ELSEWHERE
    return _text(start)


def _text(start: bytes) -> tuple[str, str]:
    head = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html", b"<head")):
        return (
            "a web page: the download returned a page instead of the file",
            "open the address in a browser, and copy the link of the file itself",
        )
    if all(byte in b"\t\r\n\f" or 32 <= byte < 127 for byte in start[:64]):
        return "a text file", _ELSEWHERE
    return "a file of unknown format", _ELSEWHERE
