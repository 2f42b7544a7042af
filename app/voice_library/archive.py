"""Zip archives of strangers: checked as a whole before anything is written.

Refused are names that lead elsewhere (absolute, with drive letters, ``..``), links and other
special files, names that occur twice, encrypted and unreadable entries, archives in archives, and
what unpacks to far more than it takes: by the stated sizes before, and by what comes out while
it is unpacked. Layout: PKWARE's APPNOTE.TXT; the bomb of overlapping entries: D. Fifield, "A better
zip bomb", WOOT 2019.
"""

from __future__ import annotations

import re
import shutil
import stat
import unicodedata
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from voicegraph.graph.errors import InputError, OutputError, Problem
from voicegraph.graph.regular_file import open_regular, shortened

MOST_ENTRIES = 2000
"""Entries of an archive; voices have a few."""
MOST_BYTES = 8 << 30
"""Bytes of all entries together, unpacked."""
MOST_RATIO = 100
"""How much larger an entry may be than in the archive; weights hardly shrink, text 10 times."""
_FREE_RATIO = 4 << 20
"""Bytes below which an entry may shrink as it likes."""
_LONGEST = 200
_DEEPEST = 8
_PART = 1 << 20
_ENCRYPTED = 0x1 | 0x40 | 0x2000
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ARCHIVES = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst", ".cab", ".iso")
_WINDOWS = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|(com|lpt)[0-9\u00b9\u00b2\u00b3])", re.I)
_OTHER_ARCHIVES = {
    b"7z\xbc\xaf\x27\x1c": "7z",
    b"Rar!\x1a\x07": "RAR",
    b"\x1f\x8b": "gzip",
    b"BZh": "bzip2",
    b"\xfd7zXZ\x00": "xz",
    b"\x28\xb5\x2f\xfd": "Zstandard",
}


@dataclass(frozen=True, slots=True)
class ArchiveEntry:
    """A file in a checked archive.

    Attributes:
        name: with ``/`` as the separator; safe below any folder.
        size: unpacked, in bytes, as the archive states it.
        info: as :mod:`zipfile` reads it.
    """

    name: str
    size: int
    info: zipfile.ZipInfo


def is_archive(path: Path) -> bool:
    """Whether a file is an archive to unpack, and not a model: PyTorch's files are zips, too.

    Raises:
        InputError: if it is an archive of another format.
    """
    if path.suffix.lower() in (".pth", ".pt", ".ckpt", ".bin", ".safetensors", ".onnx", ".index"):
        return False
    try:
        with open_regular(path) as file:
            start = file.read(8)
    except OSError:
        return False  # whoever opens it next says why
    for magic, name in _OTHER_ARCHIVES.items():
        if start.startswith(magic):
            text = f"{path} is an archive of the format {name}, and only zips are read"
            fix = f"unpack it, then: voicegraph voice add {path.with_suffix('')}"
            raise InputError(Problem("archive-format", text, fix=fix))
    return start.startswith((b"PK\3\4", b"PK\5\6")) and not _is_torch(path)


def _is_torch(path: Path) -> bool:
    """Whether a zip is one of ``torch.save``, whatever its name."""
    try:
        with zipfile.ZipFile(path) as opened:
            names = opened.namelist()
    except (OSError, zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return any(PurePosixPath(name).name == "data.pkl" for name in names)


@contextmanager
def opened_archive(path: Path) -> Iterator[tuple[zipfile.ZipFile, list[ArchiveEntry]]]:
    """The archive and its files, all of them checked.

    Raises:
        InputError: if it is damaged or hostile; the message says which entry, and why.
    """
    try:
        file = open_regular(path)
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror or error}"
        raise InputError(Problem("unreadable-file", text, fix="check the name")) from None
    try:
        with file, zipfile.ZipFile(file) as opened:
            yield opened, checked_entries(path, opened.infolist())
    except (zipfile.BadZipFile, EOFError, NotImplementedError, UnicodeError, zlib.error) as error:
        raise _damaged(path, str(error)) from None
    except RuntimeError as error:  # zipfile's word for a wrong password
        raise _refused(path, str(error)) from None


def checked_entries(path: Path, infos: Iterable[zipfile.ZipInfo]) -> list[ArchiveEntry]:
    """The files of an archive by its directory.

    Args:
        path: of the archive, for messages.
        infos: its directory.

    Raises:
        InputError: if one of them must not be unpacked, or all of them together.
    """
    listed = list(infos)
    if len(listed) > MOST_ENTRIES:
        raise _refused(path, f"it holds {len(listed)} entries, more than {MOST_ENTRIES}")
    found: list[ArchiveEntry] = []
    folders: dict[str, str] = {}
    files: dict[str, str] = {}
    for info in listed:
        if why := _name_fault(info.orig_filename) or _entry_fault(info):
            raise _refused(path, f"its entry {_shown(info.orig_filename)} {why}")
        name = info.filename.rstrip("/")
        _place(path, name, info.is_dir(), files, folders)
        if not info.is_dir():
            found.append(ArchiveEntry(name, info.file_size, info))
    total = sum(entry.size for entry in found)
    if total > MOST_BYTES:
        raise _refused(path, f"it unpacks to {total / 1e9:.3g} GB, more than 8 GB")
    _refuse_overlaps(path, listed)
    return found


def unpack(
    path: Path, opened: zipfile.ZipFile, entries: Iterable[ArchiveEntry], folder: Path
) -> list[Path]:
    """Writes entries below a folder; nothing is left of it if one of them is not what it states.

    Args:
        path: of the archive, for messages.
        opened: the archive.
        entries: those wanted.
        folder: that exists, empty.

    Raises:
        InputError: if an entry is damaged, or larger than it states.
        OutputError: if the disk has no room for them.
    """
    wanted = list(entries)
    needed = sum(entry.size for entry in wanted)
    if shutil.disk_usage(folder).free < needed + _PART:
        text = f"{path} needs {needed / 1e6:.0f} MB in {folder}, and the disk has no room for it"
        raise OutputError(Problem("disk-full", text, fix="make room, or set VOICEGRAPH_DATA"))
    made: list[Path] = []
    for entry in wanted:
        target = folder.joinpath(*entry.name.split("/"))
        target.parent.mkdir(parents=True, exist_ok=True)
        with opened.open(entry.info) as source, target.open("xb") as file:
            left = entry.size
            while part := source.read(min(_PART, left + 1)):
                left -= len(part)
                if left < 0:
                    raise _refused(path, f"its entry {_shown(entry.name)} is larger than it states")
                file.write(part)
        if left:
            raise _damaged(path, f"its entry {_shown(entry.name)} is shorter than it states")
        made.append(target)
    return made


# ---- one entry ------------------------------------------------------------------------------


def _name_fault(name: str) -> str | None:
    """Why a name must not be unpacked, as the end of a sentence."""
    parts = name.rstrip("/").split("/")
    if not name or name.startswith("/"):
        return "has an absolute name" if name else "has no name"
    if "\\" in name:
        return "has a backslash in its name"
    if re.match(r"[A-Za-z]:", name):
        return "has a drive letter"
    if ".." in parts:
        return "leads out of its folder"
    if "" in parts or "." in parts:
        return "has an empty folder name"
    if any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or "\ud800" <= c <= "\udfff" for c in name):
        return "has a control character in its name"
    if re.search(r'[<>:"|?*]', name) or any(part[-1] in ". " for part in parts):
        return "has a name that Windows does not allow"
    if any(_WINDOWS.fullmatch(part.split(".")[0].rstrip(" ")) for part in parts):
        return "has the name of a device of Windows"
    if len(name) > _LONGEST or len(parts) > _DEEPEST:
        return f"has a name of more than {_LONGEST} characters or {_DEEPEST} folders"
    return None


def _entry_fault(info: zipfile.ZipInfo) -> str | None:
    """Why an entry must not be unpacked, whatever its name."""
    kind = stat.S_IFMT(info.external_attr >> 16)
    if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
        return "is a link" if kind == stat.S_IFLNK else "is a special file"
    if info.flag_bits & _ENCRYPTED:
        return "is encrypted"
    if info.compress_type not in _METHODS:
        return "is compressed by another method than zips usually are"
    if info.file_size > MOST_BYTES:
        return f"unpacks to {info.file_size / 1e9:.3g} GB"
    if info.file_size > _FREE_RATIO and info.file_size > MOST_RATIO * info.compress_size:
        return f"unpacks to more than {MOST_RATIO} times its size"
    if info.filename.lower().endswith(_ARCHIVES):
        return "is an archive in the archive: unpack it, and add what is in it"
    return None


def _place(
    path: Path, name: str, is_folder: bool, files: dict[str, str], folders: dict[str, str]
) -> None:
    """Notes where an entry would lie.

    Raises:
        InputError: if another entry lies there, also on file systems that ignore case or forms of
            Unicode.
    """
    parts = [unicodedata.normalize("NFC", part).casefold() for part in name.split("/")]
    wholes = ["/".join(parts[:length]) for length in range(1, len(parts) + 1)]
    above = wholes if is_folder else wholes[:-1]
    double = next((whole for whole in above if whole in files), None)
    if not is_folder and (wholes[-1] in files or wholes[-1] in folders):
        double = wholes[-1]
    if double is not None:
        raise _refused(path, f"it holds {_shown(name)} twice, or as a file and a folder")
    folders.update(dict.fromkeys(above, name))
    if not is_folder:
        files[wholes[-1]] = name


def _refuse_overlaps(path: Path, infos: list[zipfile.ZipInfo]) -> None:
    """Refuses entries that share bytes of the archive: each would unpack the same again.

    Raises:
        InputError: if two do.
    """
    end = 0
    for info in sorted(infos, key=lambda info: info.header_offset):
        if info.header_offset < end:
            raise _refused(path, f"its entry {_shown(info.orig_filename)} overlaps another one")
        end = info.header_offset + 30 + info.compress_size


def _shown(name: str) -> str:
    return repr(shortened(name))


def _refused(path: Path, why: str) -> InputError:
    text = f"{path} is refused, and nothing was written: {why}"
    fix = "get the voice from where its author publishes it, or give its files alone"
    return InputError(Problem("hostile-archive", text, fix=fix))


def _damaged(path: Path, why: str) -> InputError:
    text = f"{path} is damaged, and nothing was kept: {why[:200] or 'it ends early'}"
    return InputError(Problem("damaged-file", text, fix="download or copy it again"))
