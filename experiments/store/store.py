"""The store: a folder of results, each under the key of everything that it depends on.

A result is two files: ``ab/KEY-SHA.safetensors`` with its bytes, and ``ab/KEY.json`` that names
their SHA-256. The second is written last, so a result without it does not exist. Both are written
under other names and renamed, the first after it was flushed to the disk; a power cut, a full disk
or a killed process leaves no half result. Any number of processes, on any number of machines, may
write: the name of the first file depends on its contents, so two writers of one key never mix.
"""

from __future__ import annotations

import hashlib
import os
import re
import secrets
import time
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.atomic_write import atomic_write, write_text

from ..task import Result
from .encoding import decode, encode
from .errors import DamagedResultError, DiskFullError
from .record import Record

_KEY = re.compile(r"[0-9a-f]{8,128}")
_PART = ".voicegraph-*.part"
_TOKEN = "store.id"


class Store:
    """A folder of results; it is made when the first one is written.

    Args:
        path: the folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    # ---- reading

    def has(self, key: str) -> bool:
        """Whether there is a result. Its bytes are checked when it is read."""
        return self._sidecar(key).exists()

    def record(self, key: str) -> Record:
        """What is known about a result.

        Raises:
            KeyError: if there is no such result.
            DamagedResultError: if the file that says it is damaged. It is a KeyError.
        """
        path = self._sidecar(key)
        try:
            return Record.from_json(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise KeyError(key) from None
        except ValueError:  # no JSON, no UTF-8, no record
            raise self._damaged(key, path, "it is no record of a result") from None

    def read_bytes(self, key: str) -> bytes:
        """The bytes of a result, checked against their SHA-256.

        Raises:
            KeyError: if there is no such result.
            DamagedResultError: if they are damaged. It is a KeyError.
        """
        record = self.record(key)
        path = self._data(key, record.sha256)
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise self._damaged(key, path, "it is missing") from None
        if len(data) != record.size:
            what = f"it has {len(data)} bytes, expected {record.size}"
            raise self._damaged(key, path, what)
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise self._damaged(key, path, "its bytes are not those that were written")
        return data

    def read(self, key: str, only: Collection[str] | None = None) -> Result:
        """A result.

        Args:
            key: of the result.
            only: names of the arrays that are wanted; None for all.

        Raises:
            KeyError: if there is no such result.
            DamagedResultError: if it is damaged. It is a KeyError.
        """
        return decode(self.read_bytes(key), only)

    def verify(self, key: str) -> None:
        """Checks the bytes of a result.

        Raises:
            KeyError: if there is no such result.
            DamagedResultError: if it is damaged. It is a KeyError.
        """
        self.read_bytes(key)

    def keys(self) -> Iterator[str]:
        """The keys of all results, in no order."""
        for path in self.path.glob("??/*.json"):
            if _KEY.fullmatch(path.stem):
                yield path.stem

    def size(self) -> int:
        """Bytes of all files in the store."""
        total = 0
        for path in self.path.rglob("*"):
            with suppress(OSError):  # removed meanwhile
                total += path.stat().st_size if path.is_file() else 0
        return total

    # ---- writing

    def write(
        self, key: str, result: Result, *, kind: str = "", label: str = "", seconds: float = 0.0
    ) -> Record:
        """Stores a result; one that is there is replaced.

        Args:
            key: of the result.
            result: what was computed.
            kind: of the task.
            label: of the task.
            seconds: computing time.

        Raises:
            DiskFullError: if there is no room for it.
            OutputError: if it cannot be written.
            TypeError, ValueError, SafetensorError: as :func:`encode`.
        """
        data = encode(result)
        record = Record(hashlib.sha256(data).hexdigest(), len(data), kind, label, seconds)
        return self.write_bytes(key, data, record)

    def write_bytes(self, key: str, data: bytes, record: Record) -> Record:
        """Stores the bytes of a result that was computed elsewhere.

        Raises:
            ValueError: if they are not those of the record.
            DiskFullError: if there is no room for them.
            OutputError: if they cannot be written.
        """
        record = replace(record, size=len(data))
        if hashlib.sha256(data).hexdigest() != record.sha256:
            raise ValueError(f"the bytes of {key} are not those of its record")
        try:
            with atomic_write(self._data(key, record.sha256), force=True) as temporary:
                temporary.write_bytes(data)
            # A record that a power cut leaves empty is seen when it is read.
            write_text(self._sidecar(key), record.as_json(), force=True, durable=False)
        except OutputError as error:
            if error.problems[0].code == "disk-full":
                raise DiskFullError(error.problems) from None
            raise
        return record

    def remove(self, key: str) -> None:
        """Removes a result, if it is there."""
        for path in self.files(key):  # the record first: without it, the rest is no result
            path.unlink(missing_ok=True)

    def touch(self, keys: Iterable[str]) -> None:
        """Notes that results are used, for :func:`~.collection.collect`."""
        for key in keys:
            with suppress(OSError):  # read-only stores are fine
                os.utime(self._sidecar(key))

    def last_used(self, key: str) -> float:
        """When a result was written or noted by :meth:`touch`, in seconds since 1970.

        Raises:
            OSError: if there is no such result.
        """
        return self._sidecar(key).stat().st_mtime

    def token(self) -> str:
        """Identifies this folder: who reads the same token sees the same store.

        Raises:
            OutputError: if it cannot be written.
        """
        path = self.path / _TOKEN
        for _ in range(2):
            with suppress(FileNotFoundError):
                return path.read_text(encoding="ascii")
            try:
                write_text(path, secrets.token_hex(16))
            except OutputError as error:
                if error.problems[0].code != "exists":  # another was quicker
                    raise
        return path.read_text(encoding="ascii")

    def is_same(self, token: str) -> bool:
        """Whether this is the folder of a token, seen from another machine. Writes nothing."""
        try:
            return (self.path / _TOKEN).read_text(encoding="ascii") == token
        except (OSError, ValueError):
            return False

    def remove_unfinished(self, older_s: float = 3600.0) -> None:
        """Removes files that killed processes were writing.

        Args:
            older_s: younger ones may belong to a process that is writing.
        """
        before = time.time() - older_s
        for path in self.path.glob(f"??/{_PART}"):
            with suppress(OSError):
                if path.stat().st_mtime <= before:
                    path.unlink()

    # ---- files

    def files(self, key: str) -> list[Path]:
        """The files of a result: the record, and the bytes."""
        sidecar = self._sidecar(key)
        return [sidecar, *sidecar.parent.glob(f"{key}-*.safetensors")]

    def leftovers(self, older_s: float = 3600.0) -> Iterator[Path]:
        """Files that belong to no result: of killed processes, and replaced ones.

        Args:
            older_s: younger ones may belong to a process that is writing.
        """
        before = time.time() - older_s
        for path in [*self.path.glob(f"??/{_PART}"), *self.path.glob("??/*.safetensors")]:
            with suppress(OSError):
                if path.stat().st_mtime < before and not self._is_named(path):
                    yield path

    def _is_named(self, path: Path) -> bool:
        """Whether a sidecar names this file."""
        key, _, _ = path.stem.partition("-")
        try:
            record = Record.from_json(self._sidecar(key).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        return self._data(key, record.sha256) == path

    def _sidecar(self, key: str) -> Path:
        if not _KEY.fullmatch(key):
            raise ValueError(f"{key!r} is no key: expected a hexadecimal SHA-256")
        return self.path / key[:2] / f"{key}.json"

    def _data(self, key: str, sha256: str) -> Path:
        return self.path / key[:2] / f"{key}-{sha256[:16]}.safetensors"

    def _damaged(self, key: str, path: Path, what: str) -> DamagedResultError:
        with suppress(OSError):
            self.remove(key)
        return DamagedResultError(key, path, what)
