"""Converts a sound by another program: anything that makes a WAV file of a WAV file."""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
import soxr

from voicegraph.graph.errors import InputError, NodeFailedError, Problem, SignalError
from voicegraph.graph.files.sound.reader import AudioReader

from ..task import Result, Results
from ._program import run_program, staged
from .files import FileHash, here, moved, outside_package, require_same

INPUT, OUTPUT, TARGET, SEED = "{input}", "{output}", "{target}", "{seed}"
_SAID = 400
"""Characters of what a program printed last that a message quotes."""


@dataclass(frozen=True, slots=True)
class CommandWork:
    """A conversion by a program, started anew for each clip.

    Its output is taken to be time-aligned with its input, and is cut or padded to its length.

    Attributes:
        command: program and arguments; ``{input}``, ``{output}``, ``{target}`` and ``{seed}`` are
            replaced.
        given: key of the sound that it gets.
        rate: of the WAV file that it gets, in Hz; None for that of the sound.
        contents: the files among its arguments, and those that it reads besides.
        target: the first file of the target's speech, for ``{target}``.
        seed: for ``{seed}``.
        folder: in which it runs; the files in it that are among ``contents`` lie there under the
            same names on a machine that lacks it.
        moved: on another machine: where files are, by their names here.
        deadline_s: after which it is ended; None leaves that to the engine.
    """

    command: tuple[str, ...]
    given: str
    rate: int | None = None
    contents: tuple[FileHash, ...] = ()
    target: FileHash | None = None
    seed: int = 0
    folder: str = "."
    moved: tuple[tuple[str, str], ...] = ()
    deadline_s: float | None = None

    def files(self) -> Mapping[Path, str]:
        """See :class:`~voicegraph.experiments.task.Work`."""
        return outside_package(self._contents())

    def with_files(self, places: Mapping[Path, Path]) -> CommandWork:
        """See :class:`~voicegraph.experiments.task.Work`."""
        names = moved(self._contents(), places)
        target = self.target and (names.get(self.target[0], self.target[0]), self.target[1])
        command = tuple(names.get(word, word) for word in self.command)
        return replace(self, command=command, target=target, moved=tuple(sorted(names.items())))

    def run(self, needs: Results) -> Result:
        """The sound: ``audio`` float32 ``[samples]``.

        Raises:
            NodeFailedError: if the program fails, is late, or writes no sound.
            InputError: if one of its files has changed.
        """
        require_same(self._places())
        given = needs.read(self.given)
        rate = int(given.about["rate"])
        audio = given.arrays["audio"]
        if self.rate is not None and self.rate != rate:
            audio, rate = soxr.resample(audio, rate, self.rate, "HQ"), self.rate
        with tempfile.TemporaryDirectory(prefix="voicegraph-") as folder:
            source, made = Path(folder) / "input.wav", Path(folder) / "output.wav"
            soundfile.write(source, audio, rate, subtype="PCM_16")
            self._start(self._words(source, made), self._place(Path(folder) / "folder"))
            return _read(made, len(given.arrays["audio"]) / int(given.about["rate"]), self.name)

    def _places(self) -> list[FileHash]:
        """The files on this machine."""
        names = dict(self.moved)
        return [(names.get(name, name), sha256) for name, sha256 in self._contents()]

    def _place(self, empty: Path) -> Path:
        """The folder in which it runs: the one named, or what is known of it laid out elsewhere."""
        if not self.moved and Path(self.folder).is_dir():
            return Path(self.folder)
        names = dict(self.moved)
        here = {Path(name): Path(names.get(name, name)) for name, _ in self.contents}
        empty.mkdir()
        staged(here, Path(self.folder), empty)
        return empty

    @property
    def name(self) -> str:
        """Of the program, for messages."""
        return Path(self.command[0]).name

    def _contents(self) -> Sequence[FileHash]:
        return self.contents if self.target is None else (*self.contents, self.target)

    def _words(self, source: Path, made: Path) -> list[str]:
        values = {INPUT: str(source), OUTPUT: str(made), SEED: str(self.seed)}
        if self.target is not None:
            values[TARGET] = str(here(self.target[0]))
        words = list(self.command)
        for mark, value in values.items():
            words = [word.replace(mark, value) for word in words]
        return words

    def _start(self, words: Sequence[str], folder: Path) -> None:
        try:
            done = run_program(words, folder, self.deadline_s)
        except subprocess.TimeoutExpired:
            text = f"{self.name} did not end within {self.deadline_s:g} s"
            raise self._failed("late", text, "a longer resources.deadline") from None
        except OSError as error:
            text = f"{words[0]} cannot be started: {error.strerror}"
            raise self._failed("cannot-start", text, "correct `command`") from None
        if done.returncode:
            said = done.stderr.decode(errors="replace").strip() or "it printed nothing"
            how = (
                f"was ended by signal {-done.returncode}"
                if done.returncode < 0
                else f"ended with exit code {done.returncode}"
            )
            text = f"{self.name} {how}: {said[-_SAID:]}"
            raise self._failed("command-failed", text, " ".join(words))

    def _failed(self, code: str, text: str, fix: str) -> NodeFailedError:
        return NodeFailedError(Problem(code, text, fix=fix), self.name)


def _read(made: Path, seconds: float, name: str) -> Result:
    """The sound that a program has written, as long as its input.

    Raises:
        NodeFailedError: if there is none.
    """
    try:
        with AudioReader(made) as reader:
            rate = int(reader.type.rate)
            chunks = [chunk.mean(axis=0, dtype=np.float64) for chunk in reader]
    except (InputError, SignalError) as error:
        text = f"{name} wrote no sound to {OUTPUT}: {error.problems[0].message}"
        raise NodeFailedError(Problem("no-output", text), name) from None
    audio = np.concatenate([*chunks, np.zeros(0)]).astype(np.float32)
    if not np.isfinite(audio).all():
        raise NodeFailedError(Problem("not-finite", f"{name} wrote NaN or infinity"), name)
    wanted = round(seconds * rate)
    cut = audio[:wanted]
    whole = np.pad(cut, (0, wanted - len(cut)))
    return Result({"audio": whole}, {"rate": rate, "length_s": len(audio) / rate})
