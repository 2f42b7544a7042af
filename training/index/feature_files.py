"""Content features in ``.npy`` files, as RVC's training keeps them (``3_feature768/*.npy``)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.memory_budget import over_limit
from voicegraph.graph.regular_file import open_regular
from voicegraph.training.common.progress import progress_bar

ENDING = ".npy"
_ROWS = 4096
"""That are read at a time."""
_COPIES = 2
"""Copies of the features that are in memory at a time: as they were read, and in the index."""


@dataclass(frozen=True, slots=True)
class FeatureFile:
    """A file with features ``[frames, dimension]``, known by its header."""

    path: Path
    frames: int
    dimension: int


def feature_files(paths: Sequence[Path]) -> list[FeatureFile]:
    """The files that paths name: files, and folders with everything below them, by name.

    Raises:
        InputError: if a folder holds none, a file is something else, or their widths differ.
    """
    found = [_header(path) for given in paths for path in _named(given)]
    first = found[0]
    for each in found:
        if each.dimension != first.dimension:
            text = (
                f"{each.path} has features of {each.dimension} values, {first.path} of "
                f"{first.dimension}: two content encoders, or two layers of one"
            )
            raise InputError(Problem("mixed-widths", text, fix="give only the files of one folder"))
    return found


def read_features(files: Sequence[FeatureFile]) -> np.ndarray:
    """All of them as float32 ``[frames, dimension]``.

    Raises:
        InputError: if they do not fit into memory, or a file cannot be read.
    """
    total = sum(file.frames for file in files)
    size = total * files[0].dimension * 4
    if (problem := over_limit({"the features": _COPIES * size}, "the index")) is not None:
        raise InputError(problem)
    made = np.empty((total, files[0].dimension), np.float32)
    start = 0
    with progress_bar("reading features", total) as tell:
        for file in files:
            _read_into(file, made[start : start + file.frames])
            start += file.frames
            tell("", start)
    return made


def _named(path: Path) -> list[Path]:
    if not path.is_dir():
        return [path]
    found = sorted(each for each in path.rglob(f"*{ENDING}") if each.is_file())
    if not found:
        text = f"{path} holds no {ENDING} files"
        raise InputError(
            Problem("no-features", text, fix="name RVC's 3_feature768 or 3_feature256")
        )
    return found


def _header(path: Path) -> FeatureFile:
    """Reads shape and type, and compares them with the size of the file."""
    try:
        with open_regular(path) as file:
            shape, _, dtype = _described(file)
            held = path.stat().st_size - file.tell()
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror or error}"
        fix = "check the name" if isinstance(error, FileNotFoundError) else "give another file"
        raise InputError(Problem("cannot-read", text, fix=fix)) from None
    except ValueError as error:
        raise _refused(path, f"it is no array of numpy's: {error}") from None
    if len(shape) != 2 or dtype.kind != "f" or 0 in shape:
        what = f"{dtype} {list(shape)}"
        raise _refused(path, f"expected features, float [frames, dimension], found {what}")
    if int(shape[0]) * int(shape[1]) * dtype.itemsize != held:
        raise _refused(path, f"its header declares {list(shape)} values, and {held} bytes follow")
    return FeatureFile(path, int(shape[0]), int(shape[1]))


def _read_into(file: FeatureFile, rows: np.ndarray) -> None:
    """Reads a file into float32 ``[frames, dimension]``, in parts: it is not in memory twice."""
    try:
        with open_regular(file.path) as opened:
            shape, by_columns, dtype = _described(opened)
            if shape != rows.shape:
                raise _refused(file.path, "it was changed while it was read")
            if by_columns:
                opened.seek(0)
                rows[:] = np.load(opened, allow_pickle=False)
                return
            for start in range(0, len(rows), _ROWS):
                part = rows[start : start + _ROWS]
                part[:] = np.frombuffer(opened.read(part.size * dtype.itemsize), dtype).reshape(
                    part.shape
                )
    except (OSError, ValueError) as error:
        raise _refused(file.path, f"it cannot be read: {error}") from None


def _described(file: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns lie together, and dtype; the values follow."""
    version = np.lib.format.read_magic(file)
    old = version == (1, 0)
    read = np.lib.format.read_array_header_1_0 if old else np.lib.format.read_array_header_2_0
    return read(file)


def _refused(path: Path, why: str) -> InputError:
    text = f"{path} is not a file of features: {why}"
    return InputError(Problem("wrong-features", text, fix="give .npy files as RVC keeps them"))
