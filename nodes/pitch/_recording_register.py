"""The register of a voice, measured on a recording of it."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph import PipelineError, Problem, open_regular

_LONGEST_S = 120
"""More of a recording changes its median by less than a semitone, and takes time to analyse."""
_LEAST_VOICED_S = 0.5
_LOWEST_HZ, _HIGHEST_HZ, _PERIOD_MS = 50.0, 800.0, 5.0


def register_of_recording(path: Path, where: str) -> float:
    """Median F0 of the voiced frames in Hz, by DIO and StoneMask; see ``f0.dio``.

    Args:
        path: a sound file; its first two minutes are used.
        where: the param that names it, for the message.

    Raises:
        PipelineError: if it cannot be read, or less than half a second of it is voiced.
    """
    audio, rate = _read(path, where)
    world = importlib.import_module("pyworld")
    f0, times = world.dio(
        audio, rate, f0_floor=_LOWEST_HZ, f0_ceil=_HIGHEST_HZ, frame_period=_PERIOD_MS
    )
    voiced = world.stonemask(audio, f0, times, rate)
    voiced = voiced[voiced > 0]
    seconds = len(voiced) * _PERIOD_MS / 1000
    if seconds < _LEAST_VOICED_S:
        text = (
            f"{path} has {seconds:.1f} s of voiced speech, which is too little to measure a pitch"
        )
        fix = f"{where}: a recording of the voice alone, of some seconds"
        raise PipelineError(Problem("no-pitch-in-recording", text, fix=fix))
    return float(np.median(voiced))


def check_recording(path: Path, where: str) -> None:
    """Reads the header.

    Raises:
        PipelineError: if there is no such file, or it is no sound file.
    """
    with _opened(path, where):
        pass


def _read(path: Path, where: str) -> tuple[np.ndarray, int]:
    """Mono float64 ``[samples]`` and the rate in Hz."""
    with _opened(path, where) as file:
        audio = file.read(file.samplerate * _LONGEST_S, dtype="float64", always_2d=True)
        rate = file.samplerate
    return np.ascontiguousarray(np.nan_to_num(audio).mean(1)), rate


@contextmanager
def _opened(path: Path, where: str) -> Iterator[Any]:
    """The sound file, whose errors name the param."""
    import soundfile

    try:
        with open_regular(path) as raw, soundfile.SoundFile(raw) as file:
            yield file
    except (OSError, soundfile.LibsndfileError) as error:
        told = error.strerror if isinstance(error, OSError) else error.error_string
        text = f"{path} cannot be read as a recording: {told or error}"
        problem = Problem("unreadable-recording", text, fix=f"{where}: FILE.wav")
        raise PipelineError(problem) from None
