"""Files of other machines on a worker, by the SHA-256 of their contents.

Clips, weights and plug-ins that a worker does not have under their own paths are kept in the
user's cache folder, so that each travels to a machine once.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from platformdirs import user_cache_path

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.file_contents import read_content
from voicegraph.graph.files.atomic_write import atomic_write

from ..task import Task

SETTING = "VOICEGRAPH_CLUSTER_CACHE"
"""Environment variable of a worker: another folder for the cache."""
_MOST_BYTES = 8 << 30
_UNUSED_S = 86_400.0
"""Younger files are not removed, since another worker may use them."""


@dataclass(frozen=True, slots=True)
class Shipment:
    """A file, or a folder with the files directly in it, as bytes.

    Attributes:
        name: of the file; its ending decides how a file is read.
        files: contents by name; of a file, one with an empty name.
        program: whether it may be executed.
    """

    name: str
    files: Mapping[str, bytes]
    program: bool = False

    @classmethod
    def read(cls, path: Path, sha256: str) -> Shipment:
        """Reads what is to travel.

        Raises:
            InputError: if it is missing, or no longer has these contents.
        """
        require_content(path, sha256)
        if path.is_dir():
            inside = sorted(entry for entry in path.iterdir() if entry.is_file())
            return cls(path.name, {entry.name: entry.read_bytes() for entry in inside})
        return cls(path.name, {"": path.read_bytes()}, os.access(path, os.X_OK))

    def size(self) -> int:
        """Bytes of all files."""
        return sum(map(len, self.files.values()))


class ContentCache:
    """A folder of files by SHA-256.

    Args:
        path: the folder; by default that of the environment variable, or the user's cache folder.
    """

    def __init__(self, path: Path | None = None) -> None:
        named = os.environ.get(SETTING)
        default = user_cache_path("voicegraph", appauthor=False) / "cluster"
        self.path = path or (Path(named) if named else default)

    def find(self, sha256: str, suffix: str) -> Path | None:
        """The file with these contents; None if it is not here, or damaged.

        Args:
            sha256: of the contents.
            suffix: ending of the name, by which some readers tell formats apart.
        """
        for path in sorted((self.path / sha256).glob("*")):
            if path.suffix == suffix and has_content(path, sha256):
                with suppress(OSError):  # notes the use, for `trim`
                    os.utime(path.parent)
                return path
        return None

    def add(self, sha256: str, shipment: Shipment) -> Path:
        """Keeps contents, and gives their path.

        Raises:
            InputError: if they are not those of the SHA-256.
            OutputError: if they cannot be written.
        """
        target = self.path / sha256 / shipment.name
        for name, data in shipment.files.items():
            with atomic_write(target / name if name else target, force=True) as temporary:
                temporary.write_bytes(data)
        if shipment.program:
            target.chmod(target.stat().st_mode | 0o111)
        require_content(target, sha256)
        return target

    def trim(self, most: int = _MOST_BYTES, unused_s: float = _UNUSED_S) -> None:
        """Removes what was not used for longest until the rest is small enough.

        Args:
            most: bytes that may stay.
            unused_s: what was used within so many seconds stays anyway.
        """
        entries = sorted(self.path.glob("*"), key=_used, reverse=True)
        kept = 0
        for entry in entries:
            files = [path for path in entry.rglob("*") if path.is_file()]
            kept += sum(_size(path) for path in files)
            if kept > most and time.time() - _used(entry) > unused_s:
                for path in [*files, *sorted(entry.rglob("*"), reverse=True), entry]:
                    with suppress(OSError):
                        path.rmdir() if path.is_dir() else path.unlink()


def files_of(task: Task) -> dict[Path, str]:
    """Files that a task reads, with the SHA-256 of their contents."""
    return {**task.work.files(), **{Path(path): sha for path, sha in task.nodes_files}}


def has_content(path: Path, sha256: str) -> bool:
    """Whether a file or folder is there and has these contents."""
    found = read_content(path)
    return found is not None and found.sha256 == sha256


def require_content(path: Path, sha256: str) -> None:
    """Checks the contents of a file or folder.

    Raises:
        InputError: if it is missing, or has other contents.
    """
    if has_content(path, sha256):
        return
    what = "has changed since the experiment was compiled" if path.exists() else "is missing"
    raise InputError(Problem("file-changed", f"{path} {what}", fix="run the same command again"))


def _used(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
