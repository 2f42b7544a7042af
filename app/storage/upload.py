"""Receives files: from the stream of a request into a folder, with limits on everything.

A body of ``multipart/form-data`` (RFC 7578) is parsed as it comes, by ``python-multipart``, and
written to files under numbers. It is given up as soon as it is too large, too slow, malformed, or
would fill the disk; then nothing of it stays.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import shutil
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from voicegraph.graph.errors import Problem
from voicegraph.graph.files.private_folder import private_folder

from ._multipart import PartData, PartEnd, PartStart, PartStream
from .errors import BusyError, InvalidUploadError, StorageFullError, TooLargeError, TooSlowError
from .file_names import archive_names, shown_name, stored_suffix
from .folder_lock import FolderLock, is_locked
from .folder_size import free_bytes, remove_folder

UPLOADS = ".upload-"
"""Begins the names of folders that are being received."""
_LEAST_BYTES = 1 << 16
"""Bytes that must come within ``idle_s``: a client that sends single bytes holds a place, too."""
_WRITE_BYTES = 1 << 18
_SPACE_EVERY = 1 << 24
"""Bytes after which the free space of the disk is looked at again."""
_TEXT_BYTES = 1 << 16
_LEAST_WAIT_S = 0.01
_PATIENCE_S = 1.0
"""How long an upload waits for a place: a client that asks again at once takes processor time."""


@dataclass(frozen=True, slots=True)
class UploadRule:
    """What one kind of request may send.

    Attributes:
        files: names of the parts that are files; each may come repeatedly.
        texts: names of the parts that are text; each may come once.
        most_bytes: largest body.
        most_files: files, at most.
        idle_s: seconds within which 64 KiB, or the end, must come.
        reserve_bytes: free disk space that must stay.
        suffixes: endings that stored files keep; libraries go by some.
    """

    files: Collection[str]
    texts: Collection[str] = ()
    most_bytes: int = 1 << 20
    most_files: int = 1
    idle_s: float = 30.0
    reserve_bytes: int = 1 << 30
    suffixes: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class ReceivedFile:
    """A file that was received.

    Attributes:
        name: its name for people, with the folders that it came with.
        path: where it is, under a number.
        bytes: its size.
    """

    name: str
    path: Path
    bytes: int


@dataclass(slots=True)
class Upload:
    """What a request has sent.

    Attributes:
        folder: the folder that holds it, and nothing else.
        files: in the order in which they came.
        texts: name of the part -> text.
    """

    folder: Path
    files: list[ReceivedFile] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)


class UploadSlots:
    """How many uploads are received at a time, and how fast all together.

    Args:
        count: the most.
        bytes_per_second: the most; the rest waits, so that a flood leaves processor time to who
            talks.
        share: gives the part of this speed that is granted now, over 0 to 1.
    """

    def __init__(
        self,
        count: int,
        bytes_per_second: float = math.inf,
        share: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._count = count
        self._rate, self._share = bytes_per_second, share
        self._places = asyncio.Semaphore(count)
        self._due = 0.0  # when all that was received would have come at this rate

    @asynccontextmanager
    async def taken(self, stream: AsyncIterator[bytes]) -> AsyncIterator[AsyncIterator[bytes]]:
        """A place for one upload; gives the pieces of its body, not faster than granted.

        Raises:
            BusyError: if all stay taken for a second.
        """
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._places.acquire()
        except TimeoutError:
            text = f"{self._count} uploads are being received already"
            problem = Problem("too-many-uploads", text, fix="try again in a moment")
            raise BusyError(problem) from None
        try:
            yield self._paced(stream)
        finally:
            self._places.release()

    async def _paced(self, stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        async for data in stream:
            granted = self._rate * self._share()
            self._due = max(self._due, loop.time()) + len(data) / granted
            yield data
            if (early := self._due - loop.time()) > _LEAST_WAIT_S:
                await asyncio.sleep(early)


@contextmanager
def upload_folder(parent: Path) -> Iterator[Path]:
    """A folder for one upload, removed at the end of the block unless it has been renamed.

    Its lock is held meanwhile, so that another page server can tell it from litter.

    Raises:
        OutputError: if it cannot be made.
    """
    folder = private_folder(private_folder(parent) / f"{UPLOADS}{secrets.token_hex(8)}")
    lock = FolderLock(folder)
    lock.take()
    try:
        yield folder
    finally:
        lock.release()
        if folder.exists():
            remove_folder(folder)


def remove_torn_uploads(parent: Path) -> None:
    """Removes the folders of uploads whose server is gone."""
    for folder in parent.glob(f"{UPLOADS}*"):
        if not is_locked(folder):
            shutil.rmtree(folder, ignore_errors=True)


def named_files(upload: Upload) -> list[Path]:
    """Gives the received files names that people know, without folders, for who goes by them.

    The names are possible on every system, differ, and lead nowhere.
    """
    folder = upload.folder / "named"
    folder.mkdir(mode=0o700)
    names = archive_names(file.name.rpartition("/")[2] for file in upload.files)
    return [file.path.rename(folder / name) for file, name in zip(upload.files, names, strict=True)]


async def receive_upload(
    stream: AsyncIterator[bytes], content_type: str, folder: Path, rule: UploadRule
) -> Upload:
    """Receives a body of ``multipart/form-data`` into a folder.

    Args:
        stream: the body, in pieces of any size.
        content_type: the header, with the boundary.
        folder: an empty folder; the caller removes it after an error.
        rule: what may come.

    Raises:
        InvalidUploadError: if it is torn, malformed, or holds other parts.
        TooLargeError: if it is larger than granted.
        TooSlowError: if it does not go on.
        StorageFullError: if it would leave less room on the disk than has to stay.
        OSError: if it cannot be written for another reason.
    """
    receiver = _Receiver(Upload(folder), rule)
    parts = PartStream(content_type)
    try:
        async for data in _in_time(stream, rule):
            for event in parts.feed(data):
                await receiver.take(event)
        parts.finish()
    finally:
        await receiver.close()
    return receiver.upload


async def _in_time(stream: AsyncIterator[bytes], rule: UploadRule) -> AsyncIterator[bytes]:
    """The pieces of a body, as long as enough of them come and they are not too many."""
    loop = asyncio.get_running_loop()
    total, counted, deadline = 0, 0, loop.time() + rule.idle_s
    while True:
        try:
            async with asyncio.timeout_at(deadline):
                data = await anext(stream, None)
        except TimeoutError:
            text = f"less than {_LEAST_BYTES >> 10} KiB came within {rule.idle_s:g} s"
            raise TooSlowError(Problem("too-slow", text, fix="send it again")) from None
        if data is None:
            return
        total += len(data)
        if total > rule.most_bytes:
            raise TooLargeError(too_large(rule.most_bytes))
        if total - counted >= _LEAST_BYTES:
            counted, deadline = total, loop.time() + rule.idle_s
        if data:
            yield data


def too_large(most: int) -> Problem:
    """The problem of a body that is larger than granted."""
    size = f"{most / (1 << 20):g} MiB" if most >= 1 << 20 else f"{most} bytes"
    return Problem("too-large", f"the upload is larger than {size}", fix="send fewer files")


class _Receiver:
    """Writes the parts of one upload."""

    def __init__(self, upload: Upload, rule: UploadRule) -> None:
        self.upload = upload
        self._rule = rule
        self._file: BinaryIO | None = None
        self._waiting = bytearray()
        self._text: str | None = None  # name of the part that is being read
        self._size = 0
        self._until_look = 0

    async def take(self, event: PartStart | PartData | PartEnd) -> None:
        """Handles the next event of the parser."""
        match event:
            case PartStart():
                self._begin(event)
            case PartData(data):
                await self._add(data)
            case PartEnd():
                await self._end()

    async def close(self) -> None:
        """Closes a file that is still open."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self, part: PartStart) -> None:
        self._waiting.clear()
        self._size = 0
        if part.name in self._rule.texts and part.file_name is None:
            if part.name in self.upload.texts:
                raise _unexpected(f"the part `{part.name}` came twice")
            self._text = part.name
            return
        if part.name not in self._rule.files:
            known = ", ".join(f"`{name}`" for name in (*self._rule.files, *self._rule.texts))
            raise _unexpected(f"there is no part `{part.name[:60]}`; the parts are: {known}")
        if part.file_name is None:
            raise _unexpected(f"the part `{part.name}` is no file: it has no file name")
        if len(self.upload.files) >= self._rule.most_files:
            text = f"an upload has {self._rule.most_files} files at most"
            raise TooLargeError(Problem("too-many-files", text, fix="send them in parts"))
        name = shown_name(part.file_name)
        suffix = stored_suffix(name, self._rule.suffixes)
        path = self.upload.folder / f"{len(self.upload.files):04d}{suffix}"
        self._file = path.open("xb", buffering=0)
        self.upload.files.append(ReceivedFile(name, path, 0))

    async def _add(self, data: bytes) -> None:
        self._waiting += data
        self._size += len(data)
        if self._file is None:
            if self._size > _TEXT_BYTES:
                text = f"the part `{self._text}` is larger than {_TEXT_BYTES >> 10} KiB"
                raise TooLargeError(Problem("too-large", text))
        elif len(self._waiting) >= _WRITE_BYTES:
            await self._flush()

    async def _end(self) -> None:
        if self._file is None:
            assert self._text is not None
            try:
                self.upload.texts[self._text] = self._waiting.decode()
            except UnicodeDecodeError:
                raise _unexpected(f"the part `{self._text}` is not UTF-8") from None
            self._text = None
            return
        await self._flush()
        await self.close()
        last = self.upload.files[-1]
        self.upload.files[-1] = ReceivedFile(last.name, last.path, self._size)

    async def _flush(self) -> None:
        """Writes what waits, on a thread: a slow disk must not stop the other clients."""
        assert self._file is not None
        data = bytes(self._waiting)
        self._waiting.clear()
        self._until_look -= len(data)
        if self._until_look <= 0:
            require_space(self.upload.folder, self._rule.reserve_bytes)
            self._until_look = _SPACE_EVERY
        await asyncio.to_thread(_write_all, self._file, data)


def require_space(folder: Path, reserve: int, more: int = 0) -> None:
    """Checks that a disk has room.

    Args:
        folder: on the disk.
        reserve: bytes that have to stay free.
        more: bytes that are about to be written.

    Raises:
        StorageFullError: if it has not.
    """
    if (free := free_bytes(folder)) - more < reserve:
        text = (
            f"the disk that holds {folder.parent} has {free / (1 << 30):.1f} GiB left, of which "
            f"{reserve / (1 << 30):.1f} GiB have to stay free"
        )
        raise StorageFullError(Problem("disk-full", text, fix="make room, and send it again"))


def _write_all(file: BinaryIO, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[file.write(rest) :]


def _unexpected(text: str) -> InvalidUploadError:
    return InvalidUploadError(Problem("wrong-part", text))
