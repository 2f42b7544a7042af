"""Finds the recordings of a voice, and checks that they are unchanged when it resumes."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from voicegraph.graph.errors import InputError, OutputError, Problem
from voicegraph.graph.files.sound.folder_contents import Content, content_of
from voicegraph.graph.files.sound.formats import READABLE
from voicegraph.graph.files.sound.reader import AudioReader

from ..common.atomic_files import write_text
from .workdir import Workdir

_USUAL_BYTES_A_SECOND = 16_000
"""Of compressed speech, for files whose headers do not say how long they are."""
_BYTES_A_SECOND = 600_000
"""Upper bound of the working folder's size for each second of recordings."""
_AT_LEAST = 200 << 20
"""Bytes that networks and checkpoints need in any case."""


def find(inputs: Sequence[Path]) -> list[Path]:
    """Audio files among files and folders, recursively; each once.

    A file that is named itself may have any suffix. Working folders of voices are left out.

    Raises:
        InputError: if an input does not exist, or no audio is found.
    """
    found: list[Path] = []
    for path in inputs:
        if not path.exists():
            raise InputError(Problem("no-such-file", f"there is no file or folder {path}"))
        found += list(_below(path)) if path.is_dir() else [path]
    unique = {path.resolve(): path for path in found}
    if not unique:
        others = sum(1 for path in inputs if path.is_dir() for _ in _files(path))
        text = f"there is no audio in {', '.join(map(str, inputs))}"
        notes = ((f"{others} files with other contents", None),) if others else ()
        fix = f"name a folder with files such as {' '.join(sorted(READABLE)[:6])}"
        raise InputError(Problem("no-audio", text, notes=notes, fix=fix))
    return list(unique.values())


def _below(folder: Path) -> Iterator[Path]:
    return (path for path in _files(folder) if content_of(path) is not Content.OTHER)


def _files(folder: Path) -> Iterator[Path]:
    """All files below a folder, sorted, without hidden ones and working folders of voices."""
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(
            name
            for name in folders
            if name[0] != "." and not Workdir(here / name).manifest.exists()
        )
        yield from (here / name for name in sorted(files) if name[0] != ".")


def write_manifest(workdir: Workdir, recordings: Sequence[Path], seed: int) -> None:
    """Writes the recordings and the seed that a voice is begun with."""
    held = {"seed": seed, "files": _states(recordings)}
    write_text(workdir.manifest, json.dumps(held, indent=2))


def check_unchanged(workdir: Workdir, recordings: Sequence[Path], seed: int) -> None:
    """Checks recordings and seed against the manifest.

    Args:
        workdir: of the voice.
        recordings: its files.
        seed: of all random draws.

    Raises:
        InputError: if files were added, removed or changed since, or the seed differs.
    """
    now = _states(recordings)
    before = json.loads(workdir.manifest.read_text(encoding="utf-8"))
    files = before["files"]
    changed = sorted(name for name in {*now, *files} if now.get(name) != files.get(name))
    fix = "--again starts over"
    if changed:
        text = f"{len(changed)} recordings have changed since {workdir.root} was begun"
        notes = tuple((name, None) for name in changed[:4])
        raise InputError(Problem("recordings-changed", text, notes=notes, fix=fix))
    if seed != before["seed"]:
        text = f"{workdir.root} was begun with --seed {before['seed']}, found --seed {seed}"
        raise InputError(Problem("seed-changed", text, fix=f"--seed {before['seed']}, or {fix}"))


def _states(recordings: Sequence[Path]) -> dict[str, list[int]]:
    """Size in bytes and modification time in ns of each file."""
    found = [(str(path.resolve()), path.stat()) for path in recordings]
    return {name: [state.st_size, state.st_mtime_ns] for name, state in found}


def check_room(folder: Path, recordings: Sequence[Path], seconds: float) -> None:
    """Checks that the disk has room for the working folder.

    Args:
        folder: that will hold the working folder.
        recordings: the files.
        seconds: their length, as far as their headers tell.

    Raises:
        OutputError: if it has not.
    """
    needed = _AT_LEAST + int(seconds * _BYTES_A_SECOND)
    free = shutil.disk_usage(folder).free
    if free < needed:
        text = (
            f"making a voice of {seconds / 60:.0f} min in {len(recordings)} files may take "
            f"{needed / 1e9:.1f} GB in {folder}, where {free / 1e9:.1f} GB are free"
        )
        fix = "--work FOLDER on another disk, or free some space"
        raise OutputError(Problem("no-room", text, fix=fix))


def seconds_of(path: Path) -> float:
    """Length by the header, or by the size if it does not say; 0 if the file cannot be read."""
    try:
        with AudioReader(path, salvage=True) as reader:
            seconds = reader.seconds
    except InputError:
        return 0.0
    return path.stat().st_size / _USUAL_BYTES_A_SECOND if seconds is None else seconds
