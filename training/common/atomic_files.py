"""Intermediate files of a training, written atomically: a file that exists is complete.

An interrupted step therefore resumes with the files that are missing. All functions create the
folder of the file, replace a file of that name, and raise ``OutputError`` if they cannot.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile

from voicegraph.graph.files.atomic_write import atomic_write


def write_audio(target: Path, audio: np.ndarray, rate: int) -> None:
    """Writes ``[samples]`` as 16-bit FLAC."""
    with atomic_write(target, force=True) as path:
        soundfile.write(path, audio, rate, "PCM_16", format="FLAC")


def write_text(target: Path, text: str) -> None:
    """Writes UTF-8 text."""
    with atomic_write(target, force=True) as path:
        path.write_text(text, encoding="utf-8")


def write_array(target: Path, array: np.ndarray) -> None:
    """Writes one array as ``.npy``."""
    with (
        atomic_write(target, force=True) as path,
        path.open("wb") as file,
    ):
        np.save(file, array)


def write_arrays(target: Path, **arrays: np.ndarray) -> None:
    """Writes named arrays as ``.npz``."""
    with (
        atomic_write(target, force=True) as path,
        path.open("wb") as file,
    ):
        np.savez(file, **arrays)  # pyright: ignore[reportArgumentType]
