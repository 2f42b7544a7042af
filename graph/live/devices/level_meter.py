"""The level of an input device, as lines of JSON: a program of its own.

    python -m voicegraph.graph.live.devices.level_meter "ALSA: Microphone"

In a process of its own the device is free again at once when nobody looks, whatever the sound
system does. It ends when its standard input is closed, and so with the program that started it.
"""

from __future__ import annotations

import json
import math
import sys
import threading
from typing import Any, TextIO

import numpy as np

from ...errors import VoicegraphError
from ._portaudio import as_device_error, sounddevice
from .device_list import find_device

EVERY_S = 0.05
_FLOOR_DB = -120.0


class LevelMeter:
    """Peak and root mean square of what has come since the last look."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._peak, self._squares, self._count = 0.0, 0.0, 0

    def add(self, frames: np.ndarray) -> None:
        """Takes frames ``[N, C]``, nominal range -1..1."""
        values = np.nan_to_num(frames.astype(np.float64))
        peak = float(np.max(np.abs(values), initial=0.0))
        squares = float(np.sum(values**2))
        with self._lock:
            self._peak = max(self._peak, peak)
            self._squares += squares
            self._count += values.size

    def take(self) -> tuple[float, float] | None:
        """Peak and RMS in dB relative to full scale, at least -120; None if nothing has come."""
        with self._lock:
            peak, squares, count = self._peak, self._squares, self._count
            self._peak, self._squares, self._count = 0.0, 0.0, 0
        return None if count == 0 else (_decibels(peak), _decibels(math.sqrt(squares / count)))


def _decibels(value: float) -> float:
    return max(_FLOOR_DB, 20 * math.log10(value)) if value > 0 else _FLOOR_DB


def watch(name: str | None, out: TextIO, ended: threading.Event, module: Any = None) -> None:
    """Writes a line 20 times a second until the event is set or nobody reads.

    Args:
        name: of the device, as ``live --input`` takes it; None: the system's default.
        out: receives the lines.
        ended: set to end it.
        module: in place of sounddevice.

    Raises:
        DeviceError: if there is no such device, or it cannot be opened.
    """
    module = module or sounddevice()
    device = find_device(name, "input", module)
    meter = LevelMeter()
    with (
        as_device_error(device.name, module),
        module.InputStream(
            device=device.index,
            channels=min(2, device.inputs),
            samplerate=device.default_rate_hz,
            dtype="float32",
            callback=lambda frames, *_: meter.add(frames),
        ),
    ):
        while not ended.wait(EVERY_S):
            if (level := meter.take()) is not None:
                out.write(json.dumps({"peak_db": level[0], "rms_db": level[1]}) + "\n")
                out.flush()


def main() -> int:
    """The program; a problem is written as JSON, too."""
    ended = threading.Event()

    def wait_for_end() -> None:
        sys.stdin.read()
        ended.set()

    threading.Thread(target=wait_for_end, daemon=True).start()
    try:
        watch(sys.argv[1] if len(sys.argv) > 1 else None, sys.stdout, ended)
    except VoicegraphError as error:
        problems = [problem.as_dict() for problem in error.problems]
        print(json.dumps({"problems": problems}), flush=True)
        return error.exit_code
    except BrokenPipeError:
        return 0  # nobody reads any more
    return 0


if __name__ == "__main__":
    sys.exit(main())
