"""Which files a voice is made of, and whether they are still those that it was begun with."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from voicegraph.graph.errors import InputError, OutputError, Problem
from voicegraph.graph.files.sound.formats import READABLE

from .workdir import Workplace, write_whole

_OTHERS = {".m4a", ".m4b", ".mp4", ".mov", ".aac", ".wma", ".webm", ".mkv", ".mka", ".ape", ".amr"}
"""Endings of sound that libsndfile does not read: such files are named, not passed over."""
_BYTES_A_SECOND = 600_000
"""What the work folder takes for each second of recordings, at most."""
_AT_LEAST = 200 << 20
"""Bytes that it takes in any case: networks and their training."""


def find(inputs: Sequence[Path]) -> list[Path]:
    """Sound files among files and folders, with everything below these; each once.

    What is named by itself may have any ending. Work folders are no recordings.

    Raises:
        InputError: if something is not there, or nothing is sound.
    """
    found: list[Path] = []
    for path in inputs:
        if not path.exists():
            raise InputError(Problem("no-such-file", f"there is no file or folder {path}"))
        found += list(_below(path)) if path.is_dir() else [path]
    unique = {path.resolve(): path for path in found}
    if not unique:
        others = sum(1 for path in inputs if path.is_dir() for _ in _files(path))
        text = f"there is no sound in {', '.join(map(str, inputs))}"
        notes = ((f"{others} files with other endings", None),) if others else ()
        fix = f"name a folder with files such as {' '.join(sorted(READABLE)[:6])}"
        raise InputError(Problem("no-audio", text, notes=notes, fix=fix))
    return list(unique.values())


def _below(folder: Path) -> Iterator[Path]:
    endings = READABLE | _OTHERS
    return (path for path in _files(folder) if path.suffix.lower() in endings)


def _files(folder: Path) -> Iterator[Path]:
    """Everything below a folder but what is hidden or made on the way to a voice, in order."""
    for root, folders, files in os.walk(folder):
        here = Path(root)
        folders[:] = sorted(
            name for name in folders if name[0] != "." and not Workplace(here / name).begun.exists()
        )
        yield from (here / name for name in sorted(files) if name[0] != ".")


def note(place: Workplace, recordings: Sequence[Path], seed: int) -> None:
    """Notes what a voice is begun with."""
    text = json.dumps({"seed": seed, "files": _states(recordings)}, indent=2)
    write_whole(place.begun, lambda path: _write(path, text))


def check_unchanged(place: Workplace, recordings: Sequence[Path], seed: int) -> None:
    """Whether all is as it was noted.

    Args:
        place: of the voice.
        recordings: its files.
        seed: of what is drawn at random.

    Raises:
        InputError: if files came, went or changed since, or the seed is another.
    """
    now = _states(recordings)
    before = json.loads(place.begun.read_text(encoding="utf-8"))
    files = before["files"]
    changed = sorted(name for name in {*now, *files} if now.get(name) != files.get(name))
    fix = "--again begins anew"
    if changed:
        text = f"{len(changed)} recordings are not what they were when {place.root} was begun"
        notes = tuple((name, None) for name in changed[:4])
        raise InputError(Problem("recordings-changed", text, notes=notes, fix=fix))
    if seed != before["seed"]:
        text = f"{place.root} was begun with --seed {before['seed']}, found --seed {seed}"
        raise InputError(Problem("seed-changed", text, fix=f"--seed {before['seed']}, or {fix}"))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")


def _states(recordings: Sequence[Path]) -> dict[str, list[int]]:
    """Size and time of each file by its name."""
    found = [(str(path.resolve()), path.stat()) for path in recordings]
    return {name: [state.st_size, state.st_mtime_ns] for name, state in found}


def check_room(folder: Path, recordings: Sequence[Path], seconds: float) -> None:
    """Whether the disk has room for what is made on the way.

    Args:
        folder: that will hold the work folder.
        recordings: the files.
        seconds: they last, as far as their headers tell.

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
        fix = "--work FOLDER on another disk, or make room"
        raise OutputError(Problem("no-room", text, fix=fix))
