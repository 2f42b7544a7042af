"""Finds the clips of an experiment: recordings, drawn at random and cut."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from voicegraph.graph.errors import InputError, PipelineError, Problem, Problems
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.graph.loading.source_map import KeyPath, SourceMap
from voicegraph.graph.regular_file import open_regular
from voicegraph.schemas.experiment_clips import ClipsSpec, Cut, Draw

from ..clip import Clip
from .candidates import Candidate, find_candidates
from .cut import WINDOW_S, quietest
from .draw import TooFewError, draw
from .sex import guess_sex

SEX = "sex"
_SEXES = ("F", "M")


def find_clips(spec: ClipsSpec, source_map: SourceMap, at: KeyPath = ("clips",)) -> list[Clip]:
    """The recordings of an experiment, drawn and cut.

    Without ``files`` it is the recording that comes with the package.

    Args:
        spec: ``clips`` of the file.
        source_map: places of the file's values.
        at: where ``spec`` is in the file.

    Raises:
        PipelineError: if a file is missing or is not what a list says, if there are too few
            speakers, or if a recording cannot be read.
    """
    search = _Search(spec, source_map, at)
    candidates = find_candidates(spec, source_map, at)
    if spec.draw is not None and spec.files is not None:
        candidates = search.drawn(candidates, spec.draw)
    return search.clips(candidates)


def find_speech(
    files: list[str], source_map: SourceMap, at: KeyPath, speaker: str
) -> tuple[Clip, ...]:
    """Recordings of one speaker, such as the held-out speech of a target.

    Args:
        files: as ``clips.files``.
        source_map: places of the file's values.
        at: where the mapping with the key ``files`` or ``speech`` is.
        speaker: who speaks; the first part of the clips' names.

    Raises:
        PipelineError: as :func:`find_clips`.
    """
    spec = ClipsSpec(files=files, name=speaker + "-{stem}", speaker="{stem}")
    search = _Search(spec, source_map, at)
    found = search.clips(find_candidates(spec, source_map, at))
    return tuple(replace(clip, speaker=speaker) for clip in found)


@dataclass(slots=True)
class _Search:
    """One search for clips.

    Attributes:
        lengths: seconds of files that were opened.
        columns: what was found out about clips besides, by name.
    """

    spec: ClipsSpec
    source_map: SourceMap
    at: KeyPath
    lengths: dict[Path, float] = field(default_factory=dict)
    columns: dict[str, Mapping[str, str]] = field(default_factory=dict)

    @property
    def cut(self) -> Cut:
        """The part that counts."""
        return self.spec.cut or Cut()

    @property
    def least_s(self) -> float:
        """Seconds that a recording needs so that it can be cut."""
        return float(self.cut.start) + (self.cut.seconds[0] if self.cut.seconds else 0.0)

    # ---- draw -------------------------------------------------------------------------------

    def drawn(self, candidates: list[Candidate], spec: Draw) -> list[Candidate]:
        """The clips that are drawn, with what was found out about them."""
        groups, group_of = self.groups(candidates, spec)
        self.check_division(spec, groups)

        def usable(candidate: Candidate) -> bool:
            return self.length(candidate) >= self.least_s - 1e-9

        try:
            return draw(candidates, spec, usable, group_of, groups)
        except TooFewError as error:
            raise PipelineError(self.too_few(spec, error.found)) from None

    def groups(
        self, candidates: list[Candidate], spec: Draw
    ) -> tuple[tuple[str, ...], Callable[[Candidate], str | None]]:
        """Values of the balanced column, and the function that gives that of a clip."""
        column = spec.balance
        if column is None:
            return ("",), lambda _: ""
        values = sorted({c.columns[column] for c in candidates if column in c.columns})
        if values:
            return tuple(values), lambda candidate: candidate.columns.get(column)
        if column != SEX:
            text = f"clips.draw.balance: no recording has a column {column}"
            fix = f"give clips.files a CSV file with the columns file and {column}"
            mark = self.source_map.value((*self.at, "draw", "balance"))
            raise PipelineError(Problem("no-such-column", text, mark, fix=fix))
        return _SEXES, self.guessed_sex

    def guessed_sex(self, candidate: Candidate) -> str | None:
        audio, rate = self.part(candidate, 0.0, 7.0)
        sex, median_hz = guess_sex(audio, rate)
        if sex is not None:
            self.columns[candidate.name] = {SEX: sex, "median_hz": f"{median_hz:.1f}"}
        return sex

    def check_division(self, spec: Draw, groups: tuple[str, ...]) -> None:
        if spec.speakers is None or spec.speakers % len(groups) == 0:
            return
        count = len(groups)
        text = (
            f"clips.draw.speakers is {spec.speakers}, which {count} groups of {spec.balance} "
            f"({', '.join(groups)[:80]}) cannot share equally"
        )
        mark = self.source_map.value((*self.at, "draw", "speakers"))
        fix = f"speakers: {math.ceil(spec.speakers / count) * count}"
        raise PipelineError(Problem("wrong-value", text, mark, fix=fix))

    def too_few(self, spec: Draw, found: Mapping[str, int]) -> Problem:
        mark = self.source_map.value((*self.at, "draw"))
        each = f" of {self.least_s:g} s or more" if self.least_s else ""
        if len(found) > 1:
            counts = ", ".join(f"{count} {group}" for group, count in found.items())
            best = min(found.values()) * len(found)
            text = f"too few speakers with recordings{each}: {counts}"
        else:
            best = next(iter(found.values()))
            text = f"{best} speakers have recordings{each}"
        if spec.speakers is not None:
            text += f", and {spec.speakers} are to be drawn"
        fix = f"clips.draw.speakers: {best}" if best else "give clips.files more recordings"
        return Problem("too-few-clips", text, mark, fix=fix)

    # ---- clips ------------------------------------------------------------------------------

    def clips(self, candidates: list[Candidate]) -> list[Clip]:
        """The clips of recordings; those that cannot be used are reported together."""
        problems = Problems()
        found: list[Clip] = []
        for candidate in candidates:
            try:
                found.append(self.clip(candidate))
            except PipelineError as error:
                problems.found.extend(error.problems)
        problems.raise_if_any()
        return found

    def clip(self, candidate: Candidate) -> Clip:
        """The clip of a recording: its part, and the hash of its file."""
        length = self.length(candidate)  # opens it, so that what is no sound is found now
        start, seconds = self.part_of(candidate)
        columns = {**candidate.columns, **self.columns.get(candidate.name, {})}
        whole = start == 0 and (seconds is None or seconds >= length - 0.01)
        if not whole:
            columns.pop("transcript", None)  # of the whole recording
        found = self.hash(candidate)
        path = candidate.path.absolute()
        return Clip(candidate.name, path, found, candidate.speaker, start, seconds, columns)

    def part_of(self, candidate: Candidate) -> tuple[float, float | None]:
        """First second, and seconds; None up to the end."""
        row = candidate.row
        start = row.number("from") if row else None
        seconds = row.number("seconds") if row else None
        if start is not None or seconds is not None:
            return start or 0.0, seconds
        start = float(self.cut.start)
        if self.cut.seconds is None and not start:
            return 0.0, None
        length = self.length(candidate)
        if length <= start:
            text = f"{candidate.path.name} has {length:.2f} s, and clips begin at {start:g} s"
            mark = self.source_map.value((*self.at, "cut", "from"))
            raise PipelineError(Problem("too-short", text, mark, fix="from: 0s"))
        return start, self.seconds(candidate, start, length)

    def seconds(self, candidate: Candidate, start: float, length: float) -> float | None:
        """Length of the part that begins at ``start``."""
        if self.cut.seconds is None:
            return None
        least, most = self.cut.seconds
        if length - start <= most + 0.005:
            most = math.floor((length - start) * 100 + 1e-6) / 100
        if least >= most or self.cut.at == "end" or length - start < self.cut.seconds[1]:
            return most
        audio, rate = self.part(candidate, start, most + WINDOW_S)
        return round(quietest(audio, rate, least, most), 2)

    def length(self, candidate: Candidate) -> float:
        """Seconds of a recording; files whose header does not say are read."""
        if candidate.path not in self.lengths:
            try:
                with AudioReader(candidate.path) as reader:
                    seconds = reader.seconds
                    if seconds is None:
                        taken = sum(chunk.shape[1] for chunk in reader)
                        seconds = taken / float(reader.type.rate)
            except InputError as error:
                raise self.unusable(error) from None
            self.lengths[candidate.path] = seconds
        return self.lengths[candidate.path]

    def part(self, candidate: Candidate, start: float, seconds: float) -> tuple[np.ndarray, int]:
        """Part of a recording, mono ``[samples]``, and its rate in Hz."""
        try:
            with AudioReader(candidate.path) as reader:
                rate = float(reader.type.rate)
                first, last = round(start * rate), round((start + seconds) * rate)
                chunks: list[np.ndarray] = []
                taken = 0
                for chunk in reader:
                    chunks.append(chunk.mean(0))
                    taken += chunk.shape[1]
                    if taken >= last:
                        break
        except InputError as error:
            raise self.unusable(error) from None
        return np.concatenate(chunks)[first:last], round(rate)

    def unusable(self, error: InputError) -> PipelineError:
        """The error of a recording that cannot be read, at the place that names it."""
        mark = self.source_map.value((*self.at, "files"))
        fix = "leave the file out of clips.files"
        return PipelineError(replace(p, mark=mark, fix=p.fix or fix) for p in error.problems)

    def hash(self, candidate: Candidate) -> str:
        """SHA-256 of the file, which is what its line in a list asks for."""
        with open_regular(candidate.path) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        wanted = (candidate.sha256 or found).lower()
        if found == wanted:
            return found
        assert candidate.row is not None
        text = (
            f"{candidate.path} is another file than the list asks for: SHA-256 {found[:12]}..., "
            f"expected {wanted[:12]}..."
        )
        fix = "get the original file, or name a list of your own in clips.list"
        raise PipelineError(Problem("wrong-contents", text, candidate.row.mark, fix=fix))
