"""Writes the values of a port to an ``.npz`` file, in constant memory."""

from __future__ import annotations

import shutil
import tempfile
import zipfile
from collections.abc import Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import IO

import numpy as np

from ...errors import OutputError, Problem
from ...pipeline import Plan
from ..atomic_write import AtomicFile, reported_errors


class TapFile:
    """The values of one port, tick by tick, spooled to the disk.

    The file holds:

    * ``values`` float32. Streams are joined: audio ``[channels, samples]``, features ``[frames,
      dim]``, pitch and mask ``[frames]``. Windows overlap and are estimated anew at every tick, so
      they get a leading axis of ticks.
    * ``rate``: values per second; ``block``: seconds from tick to tick.
    * ``start``: time of the first value, in seconds from the first input sample. Value ``i`` of a
      stream is at ``start + i / rate``; value ``i`` of tick ``k`` of a window is at
      ``start + k * block + i / rate``.
    * ``interval_start``, ``interval_end``: the span that a tick covers, in seconds from its newest
      input sample; ``window``, ``kind``, ``port``, ``pipeline``.

    Raises:
        PipelineError: if the plan has no such port.
        OutputError: if the file may not be written, or does not end in ``.npz``.
    """

    def __init__(self, plan: Plan, port: str, path: str | Path, *, force: bool = False) -> None:
        self.port = port
        self.path = Path(path)
        if self.path.suffix.lower() != ".npz":
            text = f"--tap writes NumPy files: {self.path} does not end in .npz"
            fix = f"{port}={self.path.with_suffix('.npz')}"
            raise OutputError(Problem("unknown-format", text, fix=fix))
        self._plan = plan
        self._ref = plan.port(port)
        self._spec = plan.spec(self._ref)
        self._ticks = 0
        self._atomic = AtomicFile(self.path, force=force)
        try:
            with self._reported_errors():
                self._spool: IO[bytes] = tempfile.TemporaryFile(  # noqa: SIM115
                    dir=self._atomic.temporary.parent
                )
        except OutputError:
            self._atomic.discard()
            raise

    def _reported_errors(self) -> AbstractContextManager[None]:
        return reported_errors(self.path, self._atomic.temporary.parent)

    def add(self, ticks: Sequence[np.ndarray]) -> None:
        """Appends the values of each tick, ``[1, ...]``.

        Raises:
            OutputError: if the disk is full.
        """
        axis = self._spec.type.time_axis - 1
        with self._reported_errors():
            for values in ticks:
                # The time axis is first on the disk, so that streams can be joined by appending.
                time_first = values[0] if self._spec.window else np.moveaxis(values[0], axis, 0)
                self._spool.write(np.ascontiguousarray(time_first, "<f4").data)
        self._ticks += len(ticks)

    def finish(self) -> None:
        """Writes the file under its temporary name; :meth:`commit` renames it.

        Raises:
            OutputError: if the disk is full.
        """
        with self._reported_errors():
            self._spool.seek(0)
            with zipfile.ZipFile(self._atomic.temporary, "w") as archive:
                with archive.open("values.npy", "w", force_zip64=True) as entry:
                    np.lib.format.write_array_header_2_0(entry, self._header())
                    shutil.copyfileobj(self._spool, entry, 1 << 20)
                for name, value in self._facts().items():
                    with archive.open(f"{name}.npy", "w") as entry:
                        np.lib.format.write_array(entry, np.asarray(value), allow_pickle=False)

    def _header(self) -> dict[str, object]:
        shape = self._spec.shape(1)[1:]
        if self._spec.window:
            return {"descr": "<f4", "fortran_order": False, "shape": (self._ticks, *shape)}
        axis = self._spec.type.time_axis - 1
        whole = tuple(n * self._ticks if i == axis else n for i, n in enumerate(shape))
        # [samples, channels] in C order is [channels, samples] in Fortran order.
        return {"descr": "<f4", "fortran_order": axis == len(shape) - 1, "shape": whole}

    def _facts(self) -> dict[str, object]:
        span = self._spec.interval
        return {
            "rate": float(self._spec.rate),
            "block": float(self._plan.block),
            "start": float(self._plan.block + span.start),
            "interval_start": float(span.start),
            "interval_end": float(span.end),
            "window": self._spec.window,
            "kind": self._spec.type.kind,
            "port": str(self._ref),
            "pipeline": self._plan.name,
        }

    def commit(self) -> None:
        """Renames the finished file to its final name.

        Raises:
            OutputError: as :meth:`AtomicFile.commit`.
        """
        self._atomic.commit()
        self.discard()

    def discard(self) -> None:
        """Removes the unfinished file. Safe to call twice, and after :meth:`commit`."""
        # Closing writes what is buffered: nobody needs it, and a full disk has no room for it.
        with suppress(OSError):
            self._spool.close()
        self._atomic.discard()
