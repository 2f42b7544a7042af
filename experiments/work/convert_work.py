"""Converts a sound by a pipeline, exactly as ``voicegraph run`` does."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.sound.input_conversion import planned
from voicegraph.graph.files.sound.sample_conversion import ConvertedSamples, convert_samples
from voicegraph.graph.runtime.port_series import PortSeries
from voicegraph.graph.signals import Audio

from ..task import Result, Results
from .files import outside_package
from .match import Match, median_f0, voiced_f0
from .pipeline_data import Overrides, PipelineData, engine_setup, load, require_precisions


@dataclass(frozen=True, slots=True)
class ConvertWork:
    """A conversion: one numeric thread unless told otherwise, no workers, no files of nodes.

    Attributes:
        pipeline: what converts.
        given: key of the sound that it gets.
        taps: ports that are recorded.
        threads: numeric threads.
        precisions: of nodes with ``dtype: auto``, as the driver decided.
        seed: of everything random; None leaves that of the pipeline.
        match: params of this clip; None if there are none.
        source: key of the clean clip, if ``match`` measures it.
        targets: keys of the target's speech, if ``match`` measures it.
    """

    pipeline: PipelineData
    given: str
    taps: tuple[str, ...] = ()
    threads: int = 1
    precisions: tuple[tuple[str, str], ...] = ()
    seed: int | None = None
    match: Match | None = None
    source: str | None = None
    targets: tuple[str, ...] = ()

    def files(self) -> Mapping[Path, str]:
        """See :class:`~voicegraph.experiments.task.Work`."""
        return outside_package(self.pipeline.contents)

    def with_files(self, places: Mapping[Path, Path]) -> ConvertWork:
        """See :class:`~voicegraph.experiments.task.Work`."""
        return replace(self, pipeline=self.pipeline.with_files(places))

    def run(self, needs: Results) -> Result:
        """The sound: ``audio`` float32 ``[samples]``, and ``tap.NODE.PORT`` of each tap.

        The output is time-aligned with the input and equally long; its channels are averaged.

        Raises:
            NodeFailedError: if a node fails; says at which second.
            VoicegraphError: if it cannot be converted for another reason.
        """
        given = needs.read(self.given)
        rate = int(given.about["rate"])
        kind = Audio(Fraction(rate), 1)
        loaded = load(self.pipeline, self._further(needs))
        wanted = dict(self.precisions)
        made = convert_samples(
            planned(loaded.pipeline, kind, loaded.plans),
            given.arrays["audio"][None],
            kind,
            taps=self.taps,
            setup=engine_setup(self.threads, wanted),
        )
        require_precisions(wanted, made.precisions)
        return _result(made)

    def _further(self, needs: Results) -> Overrides:
        seed = () if self.seed is None else (("seed", self.seed),)
        if self.match is None:
            return seed
        return (*seed, *self.match.overrides(self._source_hz(needs), self._target_hz(needs)))

    def _source_hz(self, needs: Results) -> float:
        assert self.match is not None
        if self.match.source_hz is not None:
            return self.match.source_hz
        assert self.source is not None
        sound = needs.read(self.source)
        return median_f0(sound.arrays["audio"], int(sound.about["rate"]))

    def _target_hz(self, needs: Results) -> float | None:
        assert self.match is not None
        if not self.match.measures_target:
            return self.match.target_hz
        sounds = [needs.read(key) for key in self.targets]
        voiced = [voiced_f0(s.arrays["audio"], int(s.about["rate"])) for s in sounds]
        found = np.concatenate([np.zeros(0), *voiced])
        if not len(found):
            text = "no frame of the target's speech is voiced, so its median F0 is unknown"
            raise InputError(Problem("no-pitch", text, fix="give speech of the target"))
        return round(float(np.median(found)), 2)


def _result(made: ConvertedSamples) -> Result:
    arrays = {"audio": np.ascontiguousarray(made.samples.mean(axis=0), np.float32)}
    rates: dict[str, float] = {}
    seconds = made.samples.shape[1] / float(made.type.rate)
    for port, series in made.taps.items():
        name = f"tap.{port}"
        arrays[name], rates[name] = _from_zero(series.between(seconds), seconds)
    about = {
        "rate": int(made.type.rate),
        "rates": rates,
        "silenced_blocks": made.silenced,
        "precisions": dict(made.precisions),
    }
    return Result(arrays, about)


def _from_zero(series: PortSeries, seconds: float) -> tuple[np.ndarray, float]:
    """A tap whose value ``k`` is at ``k / rate`` seconds of the clip, and the rate in Hz.

    Values before the first and after the last one are 0, and each lies at most half a step from
    where it was.
    """
    steps = np.diff(series.times)
    rate = round(1 / float(np.median(steps)), 6) if len(steps) else 1.0
    made = np.zeros((math.ceil(round(seconds * rate, 6)), series.values.shape[1]), np.float32)
    places = np.rint(series.times * rate).astype(int)
    inside = (places >= 0) & (places < len(made))
    made[places[inside]] = series.values[inside]
    return (made[:, 0].copy() if made.shape[1] == 1 else made), rate
