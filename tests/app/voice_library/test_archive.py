"""Zip archives of strangers: what is refused, before anything is written."""

from __future__ import annotations

import io
import os
import stat
import struct
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.app.voice_library.archive import (
    MOST_ENTRIES,
    is_archive,
    opened_archive,
    unpack,
)
from voicegraph.graph.errors import InputError, OutputError

Fill = Callable[[zipfile.ZipFile], None]


def _zip(fill: Fill, path: Path | None = None) -> Path:
    path = path or Path("voice.zip")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        fill(made)
    return path


def _unpacked(path: Path, folder: Path) -> list[str]:
    folder.mkdir(parents=True, exist_ok=True)
    with opened_archive(path) as (opened, entries):
        found = unpack(path, opened, entries, folder)
    return [file.relative_to(folder).as_posix() for file in found]


def _refusal(fill: Fill) -> str:
    path = _zip(fill)
    with pytest.raises(InputError) as error:
        _unpacked(path, Path("out"))
    assert not any(Path("out").rglob("*"))
    (problem,) = error.value.problems
    assert problem.fix
    return problem.message


def test_an_ordinary_archive_is_unpacked() -> None:
    def fill(made: zipfile.ZipFile) -> None:
        made.mkdir("Alice")
        made.writestr("Alice/voice.pth", b"weights")
        made.writestr("Alice/利用規約.txt", "terms")

    path = _zip(fill)
    assert is_archive(path)
    assert _unpacked(path, Path("out")) == ["Alice/voice.pth", "Alice/利用規約.txt"]
    assert Path("out/Alice/voice.pth").read_bytes() == b"weights"


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../voice.pth", "leads out of its folder"),
        ("a/../../voice.pth", "leads out of its folder"),
        ("/etc/voice.pth", "absolute name"),
        ("C:/voice.pth", "drive letter"),
        ("C:voice.pth", "drive letter"),
        ("a\\..\\..\\voice.pth", "backslash"),
        ("\\\\server\\share\\voice.pth", "backslash"),
        ("a//voice.pth", "empty folder name"),
        ("./voice.pth", "empty folder name"),
        ("voice.pth\n", "control character"),
        ("voi\x1b[2Jce.pth", "control character"),
        ("voice.pth:stream", "Windows does not allow"),
        ("voice.pth.", "Windows does not allow"),
        ("a /voice.pth", "Windows does not allow"),
        ("nul.pth", "device of Windows"),
        ("a/CON", "device of Windows"),
        ("x" * 300, "more than 200 characters"),
        ("a/" * 20 + "voice.pth", "more than 200 characters or 8 folders"),
        ("inner.zip", "archive in the archive"),
        ("voice.tar.gz", "archive in the archive"),
    ],
)
def test_names_that_lead_elsewhere_are_refused(name: str, why: str) -> None:
    def fill(made: zipfile.ZipFile) -> None:
        made.writestr("fine.pth", b"1")
        made.writestr(zipfile.ZipInfo(name), b"1")

    assert why in _refusal(fill)


@pytest.mark.parametrize(
    ("mode", "why"),
    [(stat.S_IFLNK, "is a link"), (stat.S_IFIFO, "special file"), (stat.S_IFCHR, "special file")],
    ids=["link", "pipe", "device"],
)
def test_links_and_special_files_are_refused(mode: int, why: str) -> None:
    def fill(made: zipfile.ZipFile) -> None:
        info = zipfile.ZipInfo("voice.pth")
        info.external_attr = (mode | 0o777) << 16
        made.writestr(info, "/etc/passwd")

    assert why in _refusal(fill)


@pytest.mark.parametrize(
    "names",
    [
        ("a.pth", "a.pth"),
        ("a.pth", "A.PTH"),
        ("é.pth", "e\u0301.pth"),
        ("a", "a/b.pth"),
        ("a/b.pth", "a"),
        ("ß.pth", "SS.pth"),
    ],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_names_that_fall_together_are_refused(names: tuple[str, str]) -> None:
    def fill(made: zipfile.ZipFile) -> None:
        for name in names:
            made.writestr(name, b"1")

    assert "twice" in _refusal(fill)


def test_a_bomb_by_ratio_is_refused() -> None:
    message = _refusal(lambda made: made.writestr("voice.pth", bytes(20 << 20)))
    assert "more than 100 times its size" in message


def test_a_bomb_by_count_is_refused() -> None:
    def fill(made: zipfile.ZipFile) -> None:
        for number in range(MOST_ENTRIES + 1):
            made.writestr(f"{number}.pth", b"")

    assert f"{MOST_ENTRIES + 1} entries" in _refusal(fill)


def _altered(change: Callable[[bytearray, int, int], None]) -> str:
    """The refusal of an archive of one entry, altered at its local and central header."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("voice.pth", os.urandom(100) * 20)
    data = bytearray(buffer.getvalue())
    change(data, data.index(b"PK\3\4"), data.index(b"PK\1\2"))
    Path("voice.zip").write_bytes(data)
    with pytest.raises(InputError) as error:
        _unpacked(Path("voice.zip"), Path("out"))
    return error.value.problems[0].message


def test_an_encrypted_entry_is_refused() -> None:
    def change(data: bytearray, local: int, central: int) -> None:
        data[local + 6] |= 1
        data[central + 8] |= 1

    assert "is encrypted" in _altered(change)


@pytest.mark.parametrize(("size", "why"), [(10, "nothing was"), (3000, "shorter than it states")])
def test_a_size_that_is_not_true_is_noticed_while_it_is_unpacked(size: int, why: str) -> None:
    def change(data: bytearray, local: int, central: int) -> None:
        struct.pack_into("<L", data, central + 24, size)

    assert why in _altered(change)


def test_a_huge_size_is_refused_before_anything_is_written() -> None:
    def change(data: bytearray, local: int, central: int) -> None:
        struct.pack_into("<L", data, central + 24, 0xFFFFFFF0)

    assert "more than 100 times its size" in _altered(change)


def test_an_odd_method_is_refused() -> None:
    def fill(made: zipfile.ZipFile) -> None:
        made.writestr("voice.pth", b"1" * 100, zipfile.ZIP_LZMA)

    assert "another method" in _refusal(fill)


def test_overlapping_entries_are_refused() -> None:
    def change(data: bytearray, local: int, central: int) -> None:
        entry = bytes(data[central : data.index(b"PK\5\6")])
        end = data.index(b"PK\5\6")
        data[end:end] = entry.replace(b"voice.pth", b"other.pth")
        end = data.index(b"PK\5\6")
        struct.pack_into("<2H2L", data, end + 8, 2, 2, 2 * len(entry), central)

    assert "overlap" in _altered(change).lower()


@pytest.mark.parametrize("cut", [10, 30, 60])
def test_a_truncated_archive_is_damaged(cut: int) -> None:
    path = _zip(lambda made: made.writestr("voice.pth", os.urandom(100)))
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(InputError, match="damaged"):
        _unpacked(path, Path("out"))


def test_a_full_disk_is_said_before(monkeypatch: pytest.MonkeyPatch) -> None:
    path = _zip(lambda made: made.writestr("voice.pth", b"1"))
    usage = type("Usage", (), {"free": 0})
    monkeypatch.setattr("shutil.disk_usage", lambda folder: usage)
    with pytest.raises(OutputError, match="no room"):
        _unpacked(path, Path("out"))


@pytest.mark.parametrize(
    ("magic", "name"),
    [(b"7z\xbc\xaf\x27\x1c", "7z"), (b"Rar!\x1a\x07\1", "RAR"), (b"\x1f\x8b\x08", "gzip")],
)
def test_other_archives_are_named(magic: bytes, name: str) -> None:
    Path("voice.archive").write_bytes(magic + bytes(20))
    with pytest.raises(InputError, match=f"of the format {name}"):
        is_archive(Path("voice.archive"))


NAMES = st.text(
    st.sampled_from("ab/\\.:C é\u0301\0\n*ßA"), min_size=1, max_size=12
) | st.sampled_from(["../x", "/x", "a/../..", "C:x", "con", "a.", "x" * 220])


@given(st.lists(st.tuples(NAMES, st.binary(max_size=20)), min_size=1, max_size=6))
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_whatever_the_names_are_nothing_is_written_elsewhere(
    entries: list[tuple[str, bytes]],
) -> None:
    """Every entry lies below the folder, with its own contents, or the archive is refused."""
    with tempfile.TemporaryDirectory() as place:
        outer = Path(place) / "outer"
        inner = outer / "inner"
        inner.mkdir(parents=True)
        path = Path(place) / "voice.zip"
        with zipfile.ZipFile(path, "w") as made:
            for name, data in entries:
                made.writestr(zipfile.ZipInfo(name), b"" if name.endswith("/") else data)
        try:
            found = _unpacked(path, inner)
        except InputError:
            assert list(inner.rglob("*")) == []
        else:
            files = [name for name, _ in entries if not name.endswith("/")]
            assert sorted(found) == sorted(files)
            written = {name: (inner / name).read_bytes() for name in files}
            assert written == {name: data for name, data in entries if name in files}
        assert [p.name for p in outer.iterdir()] == ["inner"]


@given(st.data())
def test_any_flipped_byte_is_refused_or_harmless(data: st.DataObject) -> None:
    """An archive whose bytes are changed is unpacked as it was, or refused with our own error."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a/voice.pth", bytes(range(200)))
        made.writestr("b.index", b"index" * 9)
    raw = bytearray(buffer.getvalue())
    for _ in range(data.draw(st.integers(1, 3))):
        raw[data.draw(st.integers(0, len(raw) - 1))] = data.draw(st.integers(0, 255))
    with tempfile.TemporaryDirectory() as place:
        path = Path(place) / "voice.zip"
        path.write_bytes(raw)
        try:
            found = _unpacked(path, Path(place) / "out")
        except InputError:
            return
        for name in found:
            assert (Path(place) / "out" / name).resolve().is_relative_to(Path(place) / "out")
