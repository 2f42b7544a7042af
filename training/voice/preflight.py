"""Preflight checks of ``voicegraph voice make``: everything that can be refused early."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph.errors import InputError, OutputError, Problem
from voicegraph.graph.files.atomic_write import cannot_write
from voicegraph.graph.files.atomic_write import check_target as may_be_written
from voicegraph.graph.files.models.conversion import check_target
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.graph.metrics.spectrogram_figure import require_matplotlib
from voicegraph.schemas.source_filter_card import Consent

from . import _recordings as recordings
from ._vad import require_vad
from .consent import save
from .workdir import Workdir

_USUAL_BYTES_A_SECOND = 16_000
"""Of compressed speech, for files whose headers do not say how long they are."""
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
    """

    inputs: tuple[Path, ...]
    target: Path
    chosen_work: Path | None
    seed: int

    @property
    def work(self) -> Path:
        """The working folder."""
        return self.chosen_work or self.target.with_suffix(".making")

    def check(self, *, force: bool, again: bool, picture: bool) -> tuple[Path, ...]:
        """Finds the recordings and runs all checks; nothing is written yet.

        Args:
            force: replace existing files.
            again: remove the working folder, and start over.
            picture: whether a figure will be drawn.

        Raises:
            VoicegraphError: if something is missing, exists already, or has changed.
        """
        require_vad()
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
        if again:
            self.clear()
        if resumed:
            recordings.check_unchanged(workdir, files, self.seed)
        else:
            recordings.check_room(_existing(self.work), files, sum(map(_seconds, files)))
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

    def clear(self) -> None:
        """Removes the working folder, which holds copies of the recordings.

        Raises:
            OutputError: if it cannot be removed.
        """
        if not self.work.exists():
            return
        self._check_workdir()
        try:
            shutil.rmtree(self.work)
        except OSError as error:
            text = f"{self.work} cannot be removed: {error.strerror}"
            raise OutputError(Problem("cannot-remove", text, fix="remove it by hand")) from None

    def _check_workdir(self) -> None:
        """Refuses a folder with other contents: nothing in it is changed or removed."""
        foreign = self.work.is_file() or (
            any(self.work.iterdir()) and not Workdir(self.work).manifest.exists()
        )
        if foreign:
            text = f"{self.work} exists, and is not the working folder of a voice"
            raise OutputError(Problem("exists", text, fix="--work FOLDER, with a new folder"))


def _existing(folder: Path) -> Path:
    """The nearest existing folder above."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())


def _seconds(path: Path) -> float:
    """Length by the header, or by the size if it does not say; 0 if the file cannot be read."""
    try:
        with AudioReader(path, salvage=True) as reader:
            seconds = reader.seconds
    except InputError:
        return 0.0
    return path.stat().st_size / _USUAL_BYTES_A_SECOND if seconds is None else seconds


def lower_priority() -> None:
    """Lowers the priority of this process and of those that it starts."""
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICE)
