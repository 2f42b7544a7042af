"""The evaluation: converts and observes what is missing, then writes table, JSON and figures."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voicegraph.training.common.atomic_files import write_text
from voicegraph.training.common.jobs import run_jobs
from voicegraph.training.common.progress import progress_bar

from . import _clip_tasks as clip_tasks
from . import _costs as costs
from . import _figures as figures
from . import _targets as targets
from ._conversion import overrides, pipeline
from ._metrics import mean_embedding
from ._observation import read
from ._rows import Row
from ._store import Store, identity
from ._summary import Summary, of_clips, of_target
from ._table import markdown, results
from .clips import Clip


@dataclass(frozen=True)
class Evaluation:
    """Rows and clips.

    Attributes:
        rows: conditions to compare.
        clips: the sources.
        speech: files of the clips, by name.
        work: folder for intermediate files.
        downloads: folder for the files of text-to-speech voices.
        targets: folders with held-out speech, by voice.
        against: the row from which differences are taken.
    """

    rows: Sequence[Row]
    clips: Sequence[Clip]
    speech: Mapping[str, Path]
    work: Path
    downloads: Path
    targets: Mapping[str, Path]
    against: str

    @property
    def store(self) -> Store:
        """Paths of the intermediate files."""
        return Store(self.work.resolve())

    def run(self, processes: int, measure_costs: bool = True) -> None:
        """Makes what is missing.

        Raises:
            SystemExit: with what to type, if a package or a target's speech is missing.
            VoicegraphError: if a row's pipeline is wrong.
        """
        converting = list(self._conversions())  # reports a wrong row before any work
        run_jobs("clips", clip_tasks.prepare_clip, list(self._clips()), processes)
        run_jobs("targets", clip_tasks.prepare_target, list(self._targets()), processes)
        run_jobs("rows", clip_tasks.convert_clip, converting, processes)
        if measure_costs:
            self._measure_costs()

    def _clips(self) -> Iterator[tuple]:
        store = self.store
        for snr in dict.fromkeys([None, *(row.snr_db for row in self.rows)]):
            for clip in self.clips:
                if not store.observed(store.source(clip, snr)).exists():
                    yield store, clip, self.speech[clip.name], snr

    def _targets(self) -> Iterator[tuple]:
        for voice in dict.fromkeys(row.voice.name for row in self.rows):
            for job in targets.jobs(voice, self.targets, self.downloads, self.store):
                if not self.store.observed(job[0]).exists():
                    yield self.store, *job

    def _conversions(self) -> Iterator[tuple]:
        for row in self._converting():
            for clip in self.clips:
                made = self._converted(row, clip)
                if not self.store.observed(made).exists():
                    yield self.store, row, clip, made

    def _converting(self) -> list[Row]:
        return [row for row in self.rows if row.kind == "pipeline"]

    def _converted(self, row: Row, clip: Clip) -> Path:
        known = _identity(row.pipeline, overrides(row, clip))
        return self.store.converted(row.label, known, clip)

    def _measure_costs(self) -> None:
        rows = {self._cost(row): row for row in self._converting()}
        missing = {kept: row for kept, row in rows.items() if not kept.exists()}
        torch.set_num_threads(1)
        with progress_bar("costs", len(missing)) as tell:
            for number, (kept, row) in enumerate(missing.items(), 1):
                costs.measure(pipeline(row.pipeline, overrides(row))[0].compile(), kept)
                tell("", number)

    def _cost(self, row: Row) -> Path:
        return self.store.cost(_identity(row.pipeline, overrides(row)))

    def summaries(self) -> list[Summary]:
        """The metrics of all rows."""
        return [self._summary(row) for row in self.rows]

    def _summary(self, row: Row) -> Summary:
        held = self._held_out(row.voice.name)
        if row.kind == "target":
            return of_target(row, held)
        store = self.store
        target = mean_embedding(np.stack([each.embedding for each in held]))

        def source(clip: Clip) -> Path:
            return store.observed(store.source(clip, None))

        def made(clip: Clip) -> Path:
            if row.kind == "source":
                return store.observed(store.source(clip, row.snr_db))
            return store.observed(self._converted(row, clip))

        if row.kind == "source":
            return of_clips(row, self.clips, made, source, target)
        plan = pipeline(row.pipeline, overrides(row))[0].compile()
        late = 1000 * float(plan.latency.algorithmic), 1000 * float(plan.latency.buffering)
        cost = costs.read(self._cost(row)) if self._cost(row).exists() else None
        return of_clips(row, self.clips, made, source, target, cost, late)

    def _held_out(self, voice: str) -> list:
        jobs = targets.jobs(voice, self.targets, self.downloads, self.store)
        return [read(self.store.observed(job[0])) for job in jobs]

    def write(self, out: Path, drawn: Path) -> list[Path]:
        """Writes table, JSON and figures; gives their paths."""
        found = self.summaries()
        out.mkdir(parents=True, exist_ok=True)
        page, data = out / "table.md", out / "results.json"
        seconds = sum(clip.seconds for clip in self.clips)
        write_text(page, markdown(found, self.against, self._about(), seconds))
        write_text(data, results(found, self.against))
        return [page, data, *self._draw(found, drawn)]

    def _about(self) -> list[str]:
        males = sum(clip.sex == "M" for clip in self.clips)
        speakers = (
            f"{len(self.clips)} speakers of LibriSpeech, {males} male and "
            f"{len(self.clips) - males} female (guessed from the median F0), one clip each."
        )
        voices = dict.fromkeys(row.voice for row in self.rows)
        return [speakers, *(f"{voice.name}: {voice.trained}." for voice in voices if voice.trained)]

    def _draw(self, found: Sequence[Summary], drawn: Path) -> Iterator[Path]:
        speakers = drawn / "evaluate-speakers.jpg"
        figures.dots(found, speakers)
        yield speakers
        shown = {row.voice: row for row in self._converting() if row.condition == self.against}
        for voice, row in shown.items():
            for sex in "MF":
                clip = next((clip for clip in self.clips if clip.sex == sex), None)
                if clip is None:
                    continue
                picture = drawn / f"evaluate-{voice.name}-{sex}.jpg"
                sounds = [
                    (f"source {clip.name} ({sex})", self.store.source(clip, None)),
                    (row.label, self._converted(row, clip)),
                    (f"{voice.name}'s own voice, another sentence", self._own(voice.name)),
                ]
                figures.spectrograms(sounds, picture)
                yield picture

    def _own(self, voice: str) -> Path:
        return targets.jobs(voice, self.targets, self.downloads, self.store)[0][0]


@functools.cache
def _identity(name: str, given: tuple) -> str:
    return identity(pipeline(name, given)[0].compile())
