"""One case: the files of a seed, a reader and a number, and what came of reading them."""

from __future__ import annotations

import random
import sys
import traceback
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .mutation import Files, mutated

_WRITES = {"subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect"}


@dataclass(frozen=True, slots=True)
class Reader:
    """A reader and what it is given.

    Attributes:
        name: for the command line.
        seeds: writes valid files into a folder, and returns them, case by case.
        read: reads the first file of a case.
        words: for readers of text, what to put in place of words.
        join: makes the files of a case of those that were changed.
    """

    name: str
    seeds: Callable[[Path], Sequence[Files]]
    read: Callable[[Path], None]
    words: tuple[bytes, ...] = ()
    join: Callable[[Files], Files] = dict


class Outcome(NamedTuple):
    """``accepted``, ``refused`` or ``finding``, and why."""

    kind: str
    why: str = ""


class Cases:
    """All cases of a reader and a seed.

    Args:
        reader: the reader.
        seed: of the mutations.
        folder: for the files of the case that is read.
    """

    def __init__(self, reader: Reader, seed: int, folder: Path) -> None:
        self.reader = reader
        self._seed = seed
        self._here = folder / "case"
        self._here.mkdir(parents=True, exist_ok=True)
        (folder / "seeds").mkdir(exist_ok=True)
        self._seeds = reader.seeds(folder / "seeds")

    def files(self, number: int) -> Files:
        """The files of a case; case 0 and as many as there are seeds are the seeds themselves."""
        if number < len(self._seeds):
            return self.reader.join(self._seeds[number])
        chance = random.Random(f"{self._seed}/{self.reader.name}/{number}")
        return self.reader.join(mutated(self._seeds, self.reader.words, chance))

    def write(self, number: int, folder: Path) -> Path:
        """Writes the files of a case, and returns the one to open."""
        for old in folder.iterdir():
            old.unlink()
        files = self.files(number)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        return folder / next(iter(files))

    def run(self, number: int) -> Outcome:
        """Reads a case in this process. A seed must be accepted."""
        outcome = judge(self.reader.read, self.write(number, self._here))
        if number < len(self._seeds) and outcome.kind == "refused":
            return Outcome("finding", f"a valid file is refused: {outcome.why}")
        return outcome


def judge(read: Callable[[Path], None], path: Path) -> Outcome:
    """Reads a file; whatever is neither success nor one of voicegraph's own errors is a finding."""
    from voicegraph.graph.errors import VoicegraphError

    watch.begin()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            read(path)
        outcome = Outcome("accepted")
    except VoicegraphError as error:
        outcome = _refused(error)
    except Exception as error:
        (*_, place) = traceback.extract_tb(error.__traceback__)
        where = f"{Path(place.filename).name}:{place.lineno}"
        outcome = Outcome("finding", f"{type(error).__name__} at {where}: {error}"[:400])
    return Outcome("finding", watch.seen) if watch.seen else outcome


def _refused(error: Exception) -> Outcome:
    """A refusal has to be fit to be shown."""
    text = str(error)
    if not text.strip():
        return Outcome("finding", "refused without a word")
    if "Traceback (most" in text:
        return Outcome("finding", f"a message with a traceback: {text}"[:400])
    return Outcome("refused", text.splitlines()[0][:200])


class _Watch:
    """Notes programs, connections and files that reading must not start, make or write."""

    def __init__(self) -> None:
        self.seen = ""
        self._on = False

    def begin(self) -> None:
        self.seen = ""
        if not self._on:
            self._on = True
            sys.addaudithook(self._note)

    def _note(self, event: str, arguments: tuple[object, ...]) -> None:
        if event in _WRITES:
            self.seen = f"{event} {arguments[:1]}"[:200]


watch = _Watch()
