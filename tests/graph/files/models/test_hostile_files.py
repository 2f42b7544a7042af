"""Files that are not what their sizes say, and files of other programs."""

from __future__ import annotations

import gzip
import json
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch
from safetensors.torch import save_file

from voicegraph.graph.files.models import WeightsError, open_archive

Zipped = Callable[..., Path]


def _refused(path: Path, code: str | None = None) -> str:
    with pytest.raises(WeightsError) as caught:
        open_archive(path)
    problem = caught.value.problems[0]
    assert problem.message.startswith(f"{path}: ")
    assert problem.fix
    if code:
        assert problem.code == code
    return problem.message


# ---- tensors larger than their storage, storages larger than the file ---------------------------


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [
        ((5,), (1,), 0),
        ((4,), (1,), 1),
        ((2, 2), (3, 1), 0),
        ((2,), (1 << 40,), 0),
        ((1 << 40,), (0,), 0),
        ((1 << 20, 1 << 20), (0, 0), 0),
        ((0,), (1,), 5),
        ((1,), (1,), 1 << 45),
    ],
)
def test_tensor_beyond_its_storage_is_refused(
    zipped: Zipped, opcodes: Any, shape: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> None:
    made = opcodes.pickled(("a", opcodes.tensor(4, shape, stride, offset)))
    assert "goes beyond its storage" in _refused(zipped(made, {"0": bytes(16)}), "tensor-too-large")


@pytest.mark.parametrize(
    ("shape", "stride", "offset"),
    [
        ((4,), (1, 1), 0),
        ((-1,), (1,), 0),
        ((4,), (-1,), 0),
        ((4,), (1,), -1),
        ((1,) * 17, (1,) * 17, 0),
        ((0, 1 << 47, 1 << 47), (1, 1, 1), 0),
    ],
)
def test_invalid_shapes_are_refused(
    zipped: Zipped, opcodes: Any, shape: Any, stride: Any, offset: int
) -> None:
    made = opcodes.pickled(("a", opcodes.tensor(4, shape, stride, offset)))
    _refused(zipped(made, {"0": bytes(16)}), "damaged-file")


@pytest.mark.parametrize("held", [0, 12, 20])
def test_storage_size_must_match_its_record(zipped: Zipped, opcodes: Any, held: int) -> None:
    made = opcodes.pickled(("a", opcodes.tensor(4, (4,), (1,))))
    text = _refused(zipped(made, {"0": bytes(held)}), "tensor-too-large")
    assert "16 bytes" in text
    assert str(held) in text


def test_storage_beyond_the_file_is_refused(zipped: Zipped, opcodes: Any) -> None:
    huge = 1 << 45
    made = opcodes.pickled(("a", opcodes.tensor(huge, (huge,), (1,))))
    _refused(zipped(made, {"0": bytes(16)}), "tensor-too-large")


def test_missing_storage_is_refused(zipped: Zipped, opcodes: Any) -> None:
    made = opcodes.pickled(("a", opcodes.tensor(4, (4,), (1,), key=b"../../etc/passwd")))
    assert "are missing" in _refused(zipped(made, {"0": bytes(16)}), "damaged-file")


def test_shared_storage_is_limited(zipped: Zipped, opcodes: Any) -> None:
    """A thousand tensors over the same values would take a thousand times the file."""
    numel = 10_000
    tensors = [(f"t{i}", opcodes.tensor(numel, (numel,), (1,))) for i in range(100)]
    _refused(zipped(opcodes.pickled(*tensors), {"0": bytes(4 * numel)}), "tensor-too-large")
    tied = zipped(opcodes.pickled(*tensors[:2]), {"0": bytes(4 * numel)})
    assert len(open_archive(tied).read(["t0", "t1"])) == 2


def test_duplicate_tensor_names_are_refused(zipped: Zipped, opcodes: Any) -> None:
    one = opcodes.tensor(4, (4,), (1,))
    inner = b"}X\x01\x00\x00\x00b" + one + b"s"
    made = opcodes.pickled(("a.b", one), ("a", inner))
    assert "two tensors of the name" in _refused(zipped(made, {"0": bytes(16)}), "damaged-file")


# ---- zips ------------------------------------------------------------------------------------


@pytest.fixture
def voice(tmp_path: Path) -> Path:
    path = tmp_path / "voice.pth"
    torch.save({"weight": {"a": torch.ones(100), "b": torch.arange(7)}}, path)
    return path


def test_every_truncation_of_a_zip(voice: Path) -> None:
    whole = voice.read_bytes()
    for length in range(0, len(whole), 7):
        voice.write_bytes(whole[:length])
        text = _refused(voice)
        if length >= 4:
            assert "not complete" in text
            assert str(length) in text


def test_every_truncation_of_the_legacy_format(tmp_path: Path) -> None:
    path = tmp_path / "voice.pth"
    torch.save({"a": torch.ones(100)}, path, _use_new_zipfile_serialization=False)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        _refused(path)
    assert "not complete" in _refused(path, "truncated-file")


@pytest.mark.parametrize("method", [zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_compressed_records_are_refused(zipped: Zipped, opcodes: Any, method: int) -> None:
    """A few bytes that unpack to gigabytes are never unpacked."""
    made = opcodes.pickled(("a", opcodes.tensor(1 << 20, (1 << 20,), (1,))))
    path = zipped(made, {"0": bytes(4 << 20)}, method=method)
    _refused(path, "compressed-record")


def test_duplicate_record_names_are_refused(zipped: Zipped) -> None:
    with pytest.warns(UserWarning, match="Duplicate name"):
        path = zipped(b"\x80\x02}.", records={"archive/data.pkl": b"\x80\x02]."})
    assert "twice" in _refused(path, "damaged-file")


def _directory_entry(path: Path, name: str) -> tuple[bytearray, int]:
    """The bytes of a zip, and where the entry of a record begins in its directory."""
    data = bytearray(path.read_bytes())
    return data, data.rindex(name.encode()) - 46


@pytest.mark.parametrize("offset", [0, 1, 1 << 30, 0xFFFFFFFE])
def test_record_offset_must_be_right(zipped: Zipped, opcodes: Any, offset: int) -> None:
    made = opcodes.pickled(("a", opcodes.tensor(4, (4,), (1,))))
    path = zipped(made, {"0": bytes(16)})
    data, entry = _directory_entry(path, "archive/data/0")
    struct.pack_into("<I", data, entry + 42, offset)
    path.write_bytes(data)
    _refused(path)


def test_overlapping_records_are_refused(zipped: Zipped, opcodes: Any) -> None:
    """Two storages on the same bytes: what is read could be many times the file."""
    name = b"archive/data/1"
    inner = struct.pack("<4s5H3L2H", b"PK\3\4", 20, *(0,) * 4, 0, 16, 16, len(name), 0) + name
    outer = inner + bytes(16)
    tensors = [
        (key, opcodes.tensor(numel, (numel,), (1,), key=key.encode()))
        for key, numel in (("0", len(outer) // 4), ("1", 4))
    ]
    path = zipped(opcodes.pickled(*tensors), {"0": outer, "1": bytes(16)})
    data, entry = _directory_entry(path, "archive/data/1")
    struct.pack_into("<I", data, entry + 42, data.index(inner))
    path.write_bytes(data)
    assert "share the same bytes" in _refused(path, "damaged-file")


def test_record_beyond_the_file_is_refused(zipped: Zipped, opcodes: Any) -> None:
    numel = 1 << 24
    path = zipped(opcodes.pickled(("a", opcodes.tensor(numel, (numel,), (1,)))), {"0": bytes(16)})
    data, entry = _directory_entry(path, "archive/data/0")
    struct.pack_into("<II", data, entry + 20, 4 * numel, 4 * numel)
    path.write_bytes(data)
    assert "more than the file has" in _refused(path, "tensor-too-large")


def test_directory_beyond_the_file_is_refused(voice: Path) -> None:
    whole = voice.read_bytes()
    at = whole.rindex(b"PK\6\6")
    for field, value in ((40, 1 << 62), (40, 17 << 20), (48, 1 << 62), (40, 1)):
        data = bytearray(whole)
        struct.pack_into("<Q", data, at + field, value)
        voice.write_bytes(data)
        _refused(voice, "damaged-file")


def test_zip64_sizes_are_read(voice: Path) -> None:
    """Sizes of 64 bits in an extra field, as files over 4 GiB have them."""
    data = bytearray(voice.read_bytes())
    at = data.rindex(b"PK\6\6")
    length, start = struct.unpack_from("<QQ", data, at + 40)
    name_length, extra_length = struct.unpack_from("<HH", data, start + 28)
    size, offset = struct.unpack_from("<I", data, start + 24)[0], 0
    extra = struct.pack("<HHQQQ", 1, 24, size, size, offset)
    behind = start + 46 + name_length
    data[behind : behind + extra_length] = extra
    struct.pack_into("<II", data, start + 20, 0xFFFFFFFF, 0xFFFFFFFF)
    struct.pack_into("<H", data, start + 30, len(extra))
    struct.pack_into("<I", data, start + 42, 0xFFFFFFFF)
    grown = len(extra) - extra_length
    at += grown
    struct.pack_into("<Q", data, at + 40, length + grown)
    struct.pack_into("<Q", data, data.rindex(b"PK\6\7") + 8, at)
    voice.write_bytes(data)
    archive = open_archive(voice)
    assert torch.equal(archive.read(["weight.b"])["weight.b"], torch.arange(7))
    struct.pack_into("<H", data, behind + 2, 8)  # the field ends before all sizes are told
    struct.pack_into("<H", data, start + 30, 12)
    voice.write_bytes(data)
    _refused(voice)


def test_invalid_byte_order_is_refused(zipped: Zipped) -> None:
    path = zipped(b"\x80\x02}.", records={"archive/byteorder": b"middle"})
    assert "order" in _refused(path, "damaged-file")


def test_zips_of_other_files_are_named(zipped: Zipped, tmp_path: Path) -> None:
    path = tmp_path / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name in ("singer/singer.pth", "singer/added.index", "a.txt", "b.txt", "c.txt"):
            file.writestr(name, b"x")
    text = _refused(path, "not-weights")
    assert "singer.pth, added.index, a.txt, b.txt and 1 more" in text
    program = zipped(b"\x80\x02}.", records={"archive/constants.pkl": b""})
    assert "TorchScript" in _refused(program, "not-weights")
    several = zipped(b"\x80\x02}.", records={"other/data.pkl": b"\x80\x02}."})
    assert "several" in _refused(several, "damaged-file")
    nested = tmp_path / "nested.pth"
    with zipfile.ZipFile(nested, "w") as file:
        file.writestr("a/b/data.pkl", b"\x80\x02}.")
        file.writestr("/data.pkl", b"\x80\x02}.")
    _refused(nested, "not-weights")


# ---- the older form ----------------------------------------------------------------------------


def test_value_counts_in_the_legacy_format(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": torch.ones(100)}, path, _use_new_zipfile_serialization=False)
    data = bytearray(path.read_bytes())
    struct.pack_into("<q", data, len(data) - 408, 1 << 40)
    path.write_bytes(data)
    assert "has 1099511627776 values, not 100" in _refused(path, "damaged-file")


def test_storage_keys_in_the_legacy_format(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    torch.save({"a": torch.ones(2)}, path, _use_new_zipfile_serialization=False)
    data = path.read_bytes()
    at = data.rindex(b"\x80\x02]")
    values = data[data.index(b".", at) + 1 :]
    for keys in (b"\x80\x02].", b"\x80\x02]K\x01a.", b"\x80\x02N.", b"\x80\x02](NX\x01\0\0\0ae."):
        path.write_bytes(data[:at] + keys + values)
        assert "its list of storages" in _refused(path, "damaged-file")


def test_file_that_only_starts_like_pytorch(tmp_path: Path) -> None:
    path = tmp_path / "a.pth"
    magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    for rest in (b"", b"\x80\x02K\x01.\x80\x02}.", b"\x80\x02M\xe9\x03.\x80\x02].", b"x"):
        path.write_bytes(magic + rest)
        _refused(path, "damaged-file")


# ---- safetensors -------------------------------------------------------------------------------


def _header(path: Path, header: object, data: bytes = b"", length: int | None = None) -> Path:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)
    return path


def _entry(dtype: str, shape: list[int], begin: int, end: int) -> dict[str, object]:
    return {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}


@pytest.mark.parametrize(
    "header",
    [
        {"a": _entry("F32", [4], 0, 12)},
        {"a": _entry("F32", [4], 4, 20)},
        {"a": _entry("F32", [1 << 40], 0, 1 << 42)},
        {"a": _entry("F32", [1 << 62, 1 << 62], 0, 16)},
        {"a": _entry("F32", [-4], 0, 16)},
        {"a": _entry("F32", [1 << 62, 1 << 62, 0], 0, 0), "b": _entry("F32", [4], 0, 16)},
        {"a": {"dtype": "F32", "shape": [4.0], "data_offsets": [0, 16]}},
        {"a": _entry("F32", [2], 0, 8), "b": _entry("F32", [1], 12, 16)},
        {"a": _entry("F32", [4], 0, 16), "b": _entry("F32", [4], 0, 16)},
        {"a": 1},
        {"a": {"dtype": "F32"}},
        {"a": _entry("F32", [4], 0, 16), "__metadata__": {"voicegraph": 1}},
        b"{",
        b"{\xff}",
        b'{"a":' * 1000,
    ],
    ids=lambda header: str(header)[:60],
)
def test_invalid_safetensors_headers_are_refused(tmp_path: Path, header: object) -> None:
    _refused(_header(tmp_path / "a.safetensors", header, bytes(16)), "damaged-file")


def test_header_beyond_the_file_is_refused(tmp_path: Path) -> None:
    path = _header(tmp_path / "a.safetensors", {"a": _entry("F32", [4], 0, 16)}, length=1 << 39)
    assert "header should have" in _refused(path, "damaged-file")


def test_every_truncation_of_safetensors(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(10), "b": torch.ones(3, dtype=torch.int8)}, path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        _refused(path)


def test_unknown_dtypes_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(4).to(torch.float8_e4m3fn)}, path)
    assert "F8_E4M3" in _refused(path, "unknown-dtype")


@pytest.mark.parametrize("card", ["", "{", "[]", "1", '{"title": "x"}', '{"kind": 1}', "[" * 9999])
def test_invalid_cards_are_refused(tmp_path: Path, card: str) -> None:
    path = tmp_path / "a.safetensors"
    save_file({"a": torch.ones(4)}, path, {"voicegraph": card})
    assert "card" in _refused(path, "damaged-file")


# ---- files of other programs ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("start", "said"),
    [
        (b"", "an empty file"),
        (bytes(1000), "zeros"),
        (b"<!DOCTYPE html><html>Not found</html>", "a web page"),
        (b"\n \xef\xbb\xbf<HTML>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "Git LFS"),
        (b"7z\xbc\xaf\x27\x1c\x00", "7-Zip"),
        (b"Rar!\x1a\x07\x01", "RAR"),
        (b"\xfd7zXZ\x00\x00", "xz"),
        (b"\x28\xb5\x2f\xfd", "Zstandard"),
        (b"BZh91AY", "bzip2"),
        (b"PK\x05\x06" + bytes(18), "an empty zip"),
        (b"ID3\x04\x00", "MP3"),
        (b"\xff\xfb\x90", "MP3"),
        (b"OggS\x00", "Ogg"),
        (b"GGUF\x03", "GGUF"),
        (b"\x89HDF\r\n", "HDF5"),
        (b"\x93NUMPY\x01", "NumPy"),
        (b"\x89PNG\r\n", "picture"),
        (b"%PDF-1.7", "PDF"),
        (b"MZ\x90", "a Windows program"),
        (b"\x7fELF\x02", "a program"),
        (b"IxFI\x00\x03\x00\x00", "a FAISS index"),
        (b"IwFl\x00\x03\x00\x00", "a FAISS index"),
        (b"IxF2\x00\x03\x00\x00", "a FAISS index"),
        (b"\x08\x07\x12\x07pytorch\x1a", "ONNX"),
        (b"\x80\x04\x95\x10\x00", "a pickle that PyTorch did not write"),
        (b"\x80", "a file of unknown format"),
        (b"{}", "a text file"),
        (b"block: 10ms\n", "a text file"),
        (b"\x01\x02\x03\x04rubbish", "a file of unknown format"),
        (bytes(257).replace(b"\0", b"a") + b"ustar\x00", "a tar archive"),
    ],
    ids=lambda value: value[:12] if isinstance(value, str) else "",
)
def test_files_of_other_programs_are_named(tmp_path: Path, start: bytes, said: str) -> None:
    path = tmp_path / "voice.pth"
    path.write_bytes(start)
    text = _refused(path, "not-weights")
    assert said in text
    assert "not a file of weights" in text


def test_real_files_of_other_programs_are_named(tmp_path: Path) -> None:
    silence = np.zeros((160, 1), np.float32)
    for ending, said in (("wav", "a WAV file"), ("flac", "a FLAC file"), ("ogg", "an Ogg file")):
        path = tmp_path / f"a.{ending}"
        soundfile.write(path, silence, 16000)
        assert said in _refused(path, "not-weights")
    path = tmp_path / "a.gz"
    path.write_bytes(gzip.compress(b"x"))
    assert "gzip" in _refused(path, "not-weights")
    np.save(tmp_path / "a.npy", silence)
    assert "NumPy" in _refused(tmp_path / "a.npy", "not-weights")
