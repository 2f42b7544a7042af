"""Runs cases in worker processes for a time, and tells what was found.

python tools/check.py fuzz --minutes 10
python tools/check.py fuzz --reader index --seed 3 --case 4711      the same case again
"""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from .cases import Cases, Outcome
from .readers import READERS

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "build" / "fuzz"
LONGEST_S = 20.0
"""Time limit of a case; a case takes milliseconds."""
_START_S = 180.0
_MOST_FINDINGS = 20
"""Findings of one reader, after which it is left."""


@dataclass(slots=True)
class Settings:
    """What to run.

    Attributes:
        readers: their names.
        seed: of the mutations.
        minutes: for all readers together; each gets the same share.
        cases: at most as many of each reader; None: as many as there is time for.
        table: module with the table of readers.
        longest_s: time limit of a case.
    """

    readers: Sequence[str]
    seed: int = 1
    minutes: float = 1.0
    cases: int | None = None
    table: str = "fuzz.readers"
    longest_s: float = LONGEST_S


@dataclass(slots=True)
class Tally:
    """What came of the cases of one reader; findings by number."""

    reader: str
    accepted: int = 0
    refused: int = 0
    findings: dict[int, str] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def cases(self) -> int:
        """All of them."""
        return self.accepted + self.refused + len(self.findings)

    def add(self, number: int, outcome: Outcome) -> None:
        """Counts a case."""
        if outcome.kind == "finding":
            self.findings[number] = outcome.why
        elif outcome.kind == "accepted":
            self.accepted += 1
        else:
            self.refused += 1


class WorkerError(Exception):
    """A worker does not start."""


class Worker:
    """A process that reads cases, and is replaced when a case ends it."""

    def __init__(self, settings: Settings, reader: str, folder: Path) -> None:
        self._log = folder / "stderr.txt"
        tools = str(ROOT / "tools")
        paths = [tools, str(ROOT / ".dev"), os.environ.get("PYTHONPATH", "")]
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "fuzz.worker", settings.table, reader),
                    *(str(settings.seed), str(folder)),
                ],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                encoding="utf-8",
                env={**os.environ, "PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"},
            )
        self._answers: queue.Queue[str] = queue.Queue()
        self._gone = False
        assert self._process.stdout is not None
        threading.Thread(target=self._listen, args=(self._process.stdout,), daemon=True).start()
        if not self._answer(_START_S):
            self.end(_START_S)
            raise WorkerError(f"its worker does not start: {self._last_words()}")

    def ask(self, number: int, longest_s: float) -> Outcome | None:
        """What came of a case; None if the process is gone, as :meth:`end` says."""
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(f"{number}\n")
            self._process.stdin.flush()
        except OSError:
            return None
        answer = self._answer(longest_s)
        return Outcome(**json.loads(answer)) if answer else None

    def end(self, longest_s: float) -> str:
        """Ends the process; why it did not answer."""
        if not self._gone:
            self._process.kill()
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        if not self._gone:
            return f"no answer within {longest_s:g} s"
        return f"the process ended with {code}: {self._last_words()}"

    def _listen(self, stream: TextIO) -> None:
        for line in stream:
            self._answers.put(line)
        self._answers.put("")

    def _answer(self, timeout: float) -> str:
        try:
            answer = self._answers.get(timeout=timeout)
        except queue.Empty:
            return ""
        self._gone = not answer
        return answer

    def _last_words(self) -> str:
        words = self._log.read_text(encoding="utf-8", errors="replace").strip().splitlines()
        fatal = [n for n, line in enumerate(words) if line.startswith("Fatal Python error")]
        return " / ".join(words[fatal[0] :][:5] if fatal else words[-3:])[:300]


def run(
    settings: Settings,
    kept: Path = KEPT,
    jobs: int | None = None,
    tell: Callable[[Tally], None] = lambda _: None,
) -> list[Tally]:
    """Runs all readers, ``jobs`` at a time (by default one a core), and keeps what was found.

    Args:
        settings: what to run.
        kept: folder for the files of findings.
        jobs: workers at a time.
        tell: called when a reader is done.
    """
    jobs = min(jobs or os.cpu_count() or 1, len(settings.readers))
    share = settings.minutes * 60 * jobs / len(settings.readers)

    def one(reader: str) -> Tally:
        tally = Tally(reader)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as temporary:
            try:
                _run_one(settings, tally, share, Path(temporary), kept)
            except WorkerError as error:
                tally.add(tally.cases, Outcome("finding", str(error)))
        tell(tally)
        return tally

    with ThreadPoolExecutor(jobs) as pool:
        return list(pool.map(one, settings.readers))


def _run_one(settings: Settings, tally: Tally, share: float, folder: Path, kept: Path) -> None:
    worker = Worker(settings, tally.reader, folder)
    begun = time.monotonic()
    number = 0
    try:
        while number != settings.cases and time.monotonic() < begun + share:
            outcome = worker.ask(number, settings.longest_s)
            if outcome is None:
                outcome = Outcome("finding", worker.end(settings.longest_s))
                worker = Worker(settings, tally.reader, folder)
            tally.add(number, outcome)
            if outcome.kind == "finding":
                _keep(folder / "case", kept / f"{tally.reader}-{settings.seed}-{number}")
                if len(tally.findings) >= _MOST_FINDINGS:
                    break
            number += 1
            tally.seconds = time.monotonic() - begun
    finally:
        worker.end(settings.longest_s)


def _keep(case: Path, target: Path) -> None:
    """Copies the files of a case, as the worker wrote them."""
    shutil.rmtree(target, ignore_errors=True)
    shutil.copytree(case, target)


HEADING = f"{'reader':<12}{'cases':>9}{'accepted':>10}{'refused':>9}{'findings':>10}{'per s':>8}"


def figures(tally: Tally) -> str:
    """One line under ``HEADING``."""
    rate = tally.cases / tally.seconds if tally.seconds else 0.0
    return (
        f"{tally.reader:<12}{tally.cases:>9}{tally.accepted:>10}{tally.refused:>9}"
        f"{len(tally.findings):>10}{rate:>8.0f}"
    )


def report(tallies: Sequence[Tally], seed: int, kept: Path = KEPT) -> str:
    """The findings as text, with what to type to see each again."""
    lines = []
    for tally in tallies:
        for number, why in tally.findings.items():
            lines += [
                f"{tally.reader}, case {number}: {why}",
                f"  kept: {kept / f'{tally.reader}-{seed}-{number}'}",
                f"  again: python tools/check.py fuzz --reader {tally.reader} --seed {seed} "
                f"--case {number}",
            ]
    return "\n".join(lines)


def again(reader: str, seed: int, number: int) -> int:
    """Reads one case in this process, with the traceback that it gives; 1 if it is a finding."""
    with tempfile.TemporaryDirectory() as temporary:
        cases = Cases(READERS[reader], seed, Path(temporary))
        path = cases.write(number, Path(temporary) / "case")
        _keep(path.parent, KEPT / f"{reader}-{seed}-{number}")
        print(f"{KEPT / f'{reader}-{seed}-{number}' / path.name}", flush=True)
        outcome = cases.run(number)
        print(f"{outcome.kind}  {outcome.why}".rstrip())
        if outcome.kind == "finding":
            cases.reader.read(path)
    return int(outcome.kind == "finding")
