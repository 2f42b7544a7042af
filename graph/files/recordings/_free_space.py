"""Free space of the disk that a recording is written to."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

_EVERY_S = 2.0


class FreeSpace:
    """The free space, measured from time to time.

    Args:
        path: the recording.
        bytes_per_s: bytes that a second of audio takes.

    Attributes:
        free_bytes: as measured last; None if it is unknown.
    """

    def __init__(self, path: Path, bytes_per_s: float) -> None:
        self.free_bytes: int | None = None
        self._folder, self._rate = path.resolve().parent, bytes_per_s
        self._measured_at = float("-inf")
        self.measure()

    def measure(self) -> None:
        """Measures if it is time to; a network disk may take long to answer."""
        now = time.monotonic()
        if now - self._measured_at < _EVERY_S:
            return
        self._measured_at = now
        try:
            self.free_bytes = shutil.disk_usage(self._folder).free
        except OSError:
            self.free_bytes = None

    @property
    def left_s(self) -> float | None:
        """Seconds of audio that still fit; None if unknown."""
        return None if self.free_bytes is None else self.free_bytes / self._rate
