"""Before a voice is made of recordings: everything that can be refused is refused here."""

from __future__ import annotations

import ctypes
import os
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import soundfile

from voicegraph.graph.errors import OutputError, Problem
from voicegraph.graph.files.atomic_write import cannot_write
from voicegraph.graph.files.atomic_write import check_target as may_be_written
from voicegraph.graph.files.models.conversion import check_target
from voicegraph.graph.metrics.spectrogram_figure import require_matplotlib
from voicegraph.schemas.source_filter_card import Consent

from . import _recordings as recordings
from ._vad import require_detector
from .consent import keep
from .workdir import Workplace

_NICE = 5
"""Niceness: whoever works at this machine comes first."""
_BELOW_NORMAL = 0x4000
"""The same for Windows."""


@dataclass(frozen=True, slots=True)
class Begin:
    """What a voice is to be made of, and where.

    Attributes:
        inputs: files and folders.
        target: the voice.
        chosen_work: the folder for all that is made on the way, if it was chosen.
        seed: decides what is drawn at random.
    """

    inputs: tuple[Path, ...]
    target: Path
    chosen_work: Path | None
    seed: int

    @property
    def work(self) -> Path:
        """The folder for all that is made on the way."""
        return self.chosen_work or self.target.with_suffix(".making")

    def check(self, *, force: bool, again: bool, picture: bool) -> tuple[Path, ...]:
        """The files to be heard, after everything that may be wrong; nothing is written yet.

        Args:
            force: replace files that exist.
            again: forget what was made on the way.
            picture: whether one is drawn.

        Raises:
            VoicegraphError: if something is missing, in the way, or has changed.
        """
        require_detector()
        if picture:
            require_matplotlib("voicegraph voice make ... --no-picture")
        place = Workplace(self.work)
        if self.work.exists():
            self._check_own()
        # What an interrupted run has written by now, it may write again.
        resumed = place.begun.exists() and not again
        check_target(self.target, force or resumed)
        for beside in (".md", ".png"):
            may_be_written(self.target.with_suffix(beside), force or resumed)
        files = recordings.find(self.inputs)
        if again:
            self.clear()
        if resumed:
            recordings.check_unchanged(place, files, self.seed)
        else:
            recordings.check_room(_existing(self.work), files, sum(map(_seconds, files)))
        return tuple(files)

    def start(self, files: Sequence[Path], consent: Consent) -> None:
        """Makes the work folder, if it is not there, and notes in it what is begun.

        Raises:
            OutputError: if it cannot be made.
        """
        try:
            self.work.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.work, error) from None
        place = Workplace(self.work)
        if not place.begun.exists():
            recordings.note(place, files, self.seed)
        keep(place, consent)

    def clear(self) -> None:
        """Takes the work folder away: it holds copies of the recordings.

        Raises:
            OutputError: if that cannot be done.
        """
        if not self.work.exists():
            return
        self._check_own()
        try:
            shutil.rmtree(self.work)
        except OSError as error:
            text = f"{self.work} cannot be removed: {error.strerror}"
            raise OutputError(Problem("cannot-remove", text, fix="remove it by hand")) from None

    def _check_own(self) -> None:
        """Nothing is written into, let alone removed from, a folder of somebody else."""
        strange = self.work.is_file() or (
            any(self.work.iterdir()) and not Workplace(self.work).begun.exists()
        )
        if strange:
            text = f"{self.work} exists, and is not the work folder of a voice"
            raise OutputError(Problem("exists", text, fix="--work FOLDER, one that is new"))


def _existing(folder: Path) -> Path:
    """The next folder above that is there."""
    return next(path for path in (folder.absolute(), *folder.absolute().parents) if path.is_dir())


def _seconds(path: Path) -> float:
    """By its header; 0 if that does not tell."""
    try:
        return min(soundfile.info(path).duration, 24 * 3600.0)
    except (soundfile.LibsndfileError, TypeError, OSError):
        return 0.0


def lower_priority() -> None:
    """Lets other programs come first, in this process and those that it starts."""
    if sys.platform == "win32":
        kernel = ctypes.windll.kernel32
        kernel.SetPriorityClass(kernel.GetCurrentProcess(), _BELOW_NORMAL)
    else:
        os.nice(_NICE)
