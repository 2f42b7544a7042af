"""Preflight checks of ``voicegraph voice make``: everything that can be refused early."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicegraph.experiments.engines.run_folder import DRIVER, LOCK, locked
from voicegraph.graph.errors import OutputError, Problem
from voicegraph.graph.files.atomic_write import cannot_write
from voicegraph.graph.files.atomic_write import check_target as may_be_written
from voicegraph.graph.files.models.conversion import check_target
from voicegraph.graph.metrics.spectrogram_figure import require_matplotlib
from voicegraph.schemas.source_filter_card import Consent

from ..common.task_pool import require_pool
from . import _recordings as recordings
from ._vad import require_vad
from .consent import save
from .workdir import STORE, Workdir

OTHER_FOLDER = "--work FOLDER"
"""Names another working folder."""
_NICE = 5
"""Niceness, so that other programs on this machine have priority."""
_BELOW_NORMAL = 0x4000
"""The same on Windows: BELOW_NORMAL_PRIORITY_CLASS."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """Checks inputs and outputs, and sets up the working folder.

    Attributes:
        inputs: files and folders.
        target: the voice's file.
        chosen_work: the working folder, if it was given.
        seed: of all random draws.
        processes: that will compute.
    """

    inputs: tuple[Path, ...]
    target: Path
    chosen_work: Path | None
    seed: int
    processes: int = 1

    @property
    def work(self) -> Path:
        """The working folder."""
        return self.chosen_work or self.target.with_suffix(".making")

    def check(self, *, force: bool, again: bool, picture: bool) -> tuple[Path, ...]:
        """Finds the recordings and runs all checks; nothing is written yet.

        Args:
            force: replace existing files.
            again: start over; of unchanged recordings, what was computed stays.
            picture: whether a figure will be drawn.

        Raises:
            VoicegraphError: if something is missing, exists already, or has changed.
        """
        require_vad()
        require_pool(self.processes)
        if picture:
            require_matplotlib("voicegraph voice make ... --no-picture")
        workdir = Workdir(self.work)
        if self.work.exists():
            self._check_workdir()
        # A resumed run may replace the files that it has written before.
        resumed = workdir.manifest.exists() and not again
        check_target(self.target, force or resumed)
        for beside in (".md", ".png"):
            may_be_written(self.target.with_suffix(beside), force or resumed)
        files = recordings.find(self.inputs)
        if again and workdir.manifest.exists():
            self._start_over(workdir, files)
        if resumed:
            recordings.check_unchanged(workdir, files, self.seed)
        else:
            recordings.check_room(
                _existing(self.work), files, sum(map(recordings.seconds_of, files))
            )
        return tuple(files)

    def start(self, files: Sequence[Path], consent: Consent) -> None:
        """Creates the working folder with manifest and consent, unless it exists.

        Raises:
            OutputError: if it cannot be created.
        """
        try:
            self.work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.work, error) from None
        workdir = Workdir(self.work)
        if not workdir.manifest.exists():
            recordings.write_manifest(workdir, files, self.seed)
        save(workdir, consent)

    def _start_over(self, workdir: Workdir, files: Sequence[Path]) -> None:
        """Removes everything but the store, and begins with the recordings as they are now.

        Raises:
            OutputError: if another process makes a voice there, or a file cannot be removed.
        """
        kept = {STORE, LOCK, DRIVER, workdir.manifest.name}
        with locked(self.work, OTHER_FOLDER):
            for path in self.work.iterdir():
                if path.name not in kept:
                    _remove(path)
            recordings.write_manifest(workdir, files, self.seed)

    def clear(self) -> None:
        """Removes the working folder, which holds copies of the recordings.

        Raises:
            OutputError: if it cannot be removed.
        """
        if not self.work.exists():
            return
        self._check_workdir()
        _remove(self.work)

    def _check_workdir(self) -> None:
        """Refuses a folder with other contents: nothing in it is changed or removed."""
        foreign = self.work.is_file() or (
            any(self.work.iterdir()) and not Workdir(self.work).manifest.exists()
        )
        if foreign:
            text = f"{self.work} exists, and is not the working folder of a voice"
            raise OutputError(Problem("exists", text, fix="--work FOLDER, with a new folder"))


def _remove(path: Path) -> None:
    """Removes a file, or a folder with its contents."""
    try:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError as error:
        text = f"{path} cannot be removed: {error.strerror}"
        raise OutputError(Problem("cannot-remove", text, fix="remove it by hand")) from None


def _existing(folder: Path) -> Path:
    """The nearest existing folder above."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())


def lower_priority() -> None:
    """Lowers the priority of this process and of those that it starts."""
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICE)
