"""Uploads: hostile, torn, too large, too slow; nothing of them stays, and nothing is a path."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.app.storage import (
    BusyError,
    InvalidUploadError,
    StorageFullError,
    TooLargeError,
    TooSlowError,
    Upload,
    UploadRule,
    UploadSlots,
    receive_upload,
)
from voicegraph.app.storage.errors import StorageError
from voicegraph.app.storage.upload import remove_torn_uploads, upload_folder

BOUNDARY = "x1"
FORM = f"multipart/form-data; boundary={BOUNDARY}"
RULE = UploadRule(("files",), ("settings",), 1 << 20, 3, 30.0, 0, {".wav"})


def _part(name: str, data: bytes, file: str | None = None) -> bytes:
    named = f'; filename="{file}"' if file is not None else ""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'
    return head.encode() + data + b"\r\n"


END = f"--{BOUNDARY}--\r\n".encode()
TWO = _part("files", b"one\r\n--x", "a/b.wav") + _part("settings", b"{}")


async def _stream(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _received(
    folder: Path, body: bytes | list[bytes], rule: UploadRule = RULE, kind: str = FORM
) -> Upload:
    pieces = [body] if isinstance(body, bytes) else body
    return asyncio.run(receive_upload(_stream(pieces), kind, folder, rule))


def test_files_and_texts_are_received(tmp_path: Path) -> None:
    found = _received(tmp_path, TWO + _part("files", b"", "..") + END)
    assert found.texts == {"settings": "{}"}
    first, second = found.files
    assert (first.name, first.bytes, first.path.name) == ("a/b.wav", 8, "0000.wav")
    assert first.path.read_bytes() == b"one\r\n--x"
    assert (second.name, second.bytes, second.path.name) == ("unnamed", 0, "0001")


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60))
def test_pieces_may_be_of_any_size(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("upload")
    body, at = TWO + END, 0
    pieces: list[bytes] = []
    while at < len(body):
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(body[at : at + size])
        at += size
    found = _received(folder, pieces)
    assert found.files[0].path.read_bytes() == b"one\r\n--x"
    assert found.texts == {"settings": "{}"}


@settings(max_examples=60, deadline=None)
@given(st.integers(0, len(TWO + END) - 5))
def test_a_torn_body_is_refused_wherever_it_was_torn(
    tmp_path_factory: pytest.TempPathFactory, at: int
) -> None:
    with pytest.raises(InvalidUploadError):
        _received(tmp_path_factory.mktemp("upload"), (TWO + END)[:at])


@settings(max_examples=80, deadline=None)
@given(st.binary(max_size=200), st.integers(0, len(TWO)))
def test_any_other_body_gives_an_error_of_ours(
    tmp_path_factory: pytest.TempPathFactory, junk: bytes, at: int
) -> None:
    folder = tmp_path_factory.mktemp("upload")
    with suppress(StorageError):
        _received(folder, TWO[:at] + junk + TWO[at:] + END)
    assert all(path.parent == folder for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("body", "error", "code"),
    [
        (_part("other", b"x", "a.wav") + END, InvalidUploadError, "wrong-part"),
        (_part("files", b"x") + END, InvalidUploadError, "wrong-part"),
        (_part("settings", b"x", "a.wav") + END, InvalidUploadError, "wrong-part"),
        (2 * _part("settings", b"x") + END, InvalidUploadError, "wrong-part"),
        (_part("settings", b"\xff") + END, InvalidUploadError, "wrong-part"),
        (_part("settings", 70_000 * b"x") + END, TooLargeError, "too-large"),
        (4 * _part("files", b"x", "a.wav") + END, TooLargeError, "too-many-files"),
        (_part("files", (1 << 20) * b"x", "a.wav") + END, TooLargeError, "too-large"),
        (b"--x1\r\nContent-Type: a/b\r\n\r\nx\r\n" + END, InvalidUploadError, "no-form"),
        (b"--x1\r\n" + 9 * b"A: b\r\n" + b"\r\nx\r\n" + END, InvalidUploadError, "no-form"),
        (b"--x1\r\nA: " + 9000 * b"b" + b"\r\n\r\nx\r\n" + END, InvalidUploadError, "no-form"),
        (b"nothing of the kind", InvalidUploadError, "no-form"),
        (b"", InvalidUploadError, "torn-upload"),
    ],
    ids=range(13),
)
def test_what_is_not_granted_is_refused(
    tmp_path: Path, body: bytes, error: type[StorageError], code: str
) -> None:
    with pytest.raises(error) as caught:
        _received(tmp_path, body)
    assert caught.value.problems[0].code == code


@pytest.mark.parametrize(
    "kind",
    [
        "application/json",
        "multipart/form-data",
        "multipart/mixed; boundary=x1",
        "multipart/form-data; boundary=" + 500 * "x",
        "",
    ],
    ids=range(5),
)
def test_other_content_types_are_refused(tmp_path: Path, kind: str) -> None:
    with pytest.raises(InvalidUploadError, match="form"):
        _received(tmp_path, TWO + END, kind=kind)


def test_an_endless_body_ends_at_the_limit(tmp_path: Path) -> None:
    def endless() -> Iterable[bytes]:
        yield _part("files", b"", "a.wav")[:-2]
        while True:
            yield bytes(1 << 16)

    with pytest.raises(TooLargeError, match="1 MiB"):
        asyncio.run(receive_upload(_stream(endless()), FORM, tmp_path, RULE))
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 1 << 20


def test_a_client_that_sends_bytes_one_by_one_is_given_up(tmp_path: Path) -> None:
    async def slow() -> AsyncIterator[bytes]:
        yield _part("files", b"", "a.wav")[:-2]
        while True:
            await asyncio.sleep(0.01)
            yield b"-"

    rule = UploadRule(("files",), idle_s=0.1, reserve_bytes=0)
    with pytest.raises(TooSlowError, match=r"within 0\.1 s"):
        asyncio.run(receive_upload(slow(), FORM, tmp_path, rule))


def test_space_that_has_to_stay_is_not_used(tmp_path: Path) -> None:
    rule = UploadRule(("files",), reserve_bytes=1 << 60)
    with pytest.raises(StorageFullError, match="have to stay free"):
        _received(tmp_path, _part("files", b"x", "a.wav") + END, rule)


def test_slots_are_given_back() -> None:
    slots = UploadSlots(1)

    async def three_at_once() -> list[str]:
        found: list[str] = []

        async def one(seconds: float) -> None:
            try:
                async with slots.taken(_stream([])):
                    await asyncio.sleep(seconds)
                    found.append("received")
            except BusyError:
                found.append("refused")

        await asyncio.gather(one(0.3), one(2.0), one(0.0))
        return found

    assert asyncio.run(three_at_once()) == ["received", "refused", "received"]


@pytest.mark.parametrize(("rate", "share"), [(1e6, 1.0), (8e6, 1 / 8)])
def test_all_uploads_together_come_no_faster_than_granted(rate: float, share: float) -> None:
    slots, pieces = UploadSlots(2, rate, lambda: share), [b"x" * 5000] * 20

    async def both() -> float:
        loop = asyncio.get_running_loop()
        start = loop.time()
        await asyncio.gather(_read(), _read())
        return loop.time() - start

    async def _read() -> None:
        async with slots.taken(_stream(pieces)) as paced:
            assert [piece async for piece in paced] == pieces

    assert 0.15 < asyncio.run(both()) < 5


def test_folder_of_a_failed_upload_goes_and_of_another_server_stays(tmp_path: Path) -> None:
    with suppress(InvalidUploadError), upload_folder(tmp_path) as folder:
        (folder / "0000").write_bytes(b"x")
        raise InvalidUploadError([])
    assert list(tmp_path.iterdir()) == []
    with upload_folder(tmp_path) as folder:
        remove_torn_uploads(tmp_path)
        assert folder.is_dir()
    (tmp_path / ".upload-killed").mkdir()
    remove_torn_uploads(tmp_path)
    assert list(tmp_path.iterdir()) == []
