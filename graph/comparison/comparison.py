"""Compares two pipelines: the function ``voicegraph.compare`` and its result."""

from __future__ import annotations

import math
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soxr
import torch

from voicegraph.schemas.comparison_report import (
    ComparisonReport,
    FileComparison,
    LimitReport,
    SideReport,
    UncomparedPort,
)

from ..errors import InputError, Problem
from ..files.sound.bundled_recording import path as bundled_recording
from ..memory_budget import memory_limit
from ..pipeline import Pipeline, Plan
from ..ports import PortRef
from ..providers import provided
from ..runtime.port_series import PortSeries, bytes_per_second
from ..signals import Audio, SignalType
from ..startup_stages import begin_stage, end_stages
from ._lockstep import OUTPUT, Side, run_in_turns
from ._measurement import Aligned, Measurement, align, measure, pooled, report, values_of
from ._ports import common_ports, output_type
from ._series_match import match_in_time
from ._turn_costs import compare_costs
from .clips import SILENT_DB, Clip, loudest_db, require_judge
from .limits import Limit, check_ports, judge, parse_limits

TRACKER = "f0.dio"
"""The F0 node that tracks both sounds."""
Compared = Pipeline | Plan | str | Path
"""A pipeline, its plan, its file, or the name of a bundled one."""
BUNDLED = "the bundled recording"
"""Name of the clip that is used if none is given."""
_FEWEST = 2
"""Fewest values that can be compared."""


@dataclass(frozen=True, slots=True)
class Comparison:
    """The result of :func:`compare`; printing it gives the table of ``voicegraph compare``.

    Attributes:
        report: everything that was found, as data.
        pictured: the output of both on the worst file, aligned, for :meth:`draw`.
        output: type of the output in which it was compared.
        tracker: the F0 node.
    """

    report: ComparisonReport
    pictured: Aligned
    output: SignalType
    tracker: str

    @property
    def within(self) -> bool | None:
        """Whether all limits hold; None if there are none, or one could not be judged."""
        return self.report.within

    def __str__(self) -> str:
        return provided("comparison_text")(self.report)

    def draw(self, target: str | Path, *, force: bool = False) -> None:
        """Writes a picture of the worst file: both spectrograms, their difference, F0.

        Raises:
            VoicegraphError: if matplotlib is missing, or the output is not audio.
            OutputError: if the file cannot be written.
        """
        from ._figure import draw

        draw(self.report, (self.output, self.pictured), self.tracker, Path(target), force=force)


def compare(
    a: Compared,
    b: Compared,
    on: Sequence[Clip | str | Path] = (),
    *,
    within: Sequence[str] = (),
    names: tuple[str, str] | None = None,
    seconds: float | None = None,
    tracker: str = TRACKER,
) -> Comparison:
    """Measures how far pipeline ``b`` is from pipeline ``a`` on the same sound.

    Both start anew on each file, and run in turns, a block each. What they give is aligned by their
    latencies, then by correlation, and compared at the output and at every port that both have.

    Args:
        a: the reference: a pipeline or its plan, its file, or the name of a bundled one.
        b: what is judged.
        on: sound files, or clips; none: the recording in the package.
        within: conditions such as ``snr>=30dB`` or ``content.cosine>=.99``; see docs/compare.md.
        names: of both in the report; by default those of the pipelines.
        seconds: compare at most so much of each file, from its beginning.
        tracker: the F0 node that tracks the sounds of both.

    Raises:
        PipelineError: if a pipeline or a condition is wrong, or the outputs cannot be compared.
        InputError: if a file cannot be read, is too short or silent, or the output of ``a`` is.
        SignalError: if a node of either fails, or gives NaN or infinity.
    """
    limits = parse_limits(within)
    plans = _plan(a), _plan(b)
    job = _Job(plans, names or (plans[0].name, plans[1].name), limits, tracker)
    clips = [_clip(each, seconds) for each in (on or [bundled_recording()])]
    for clip in clips:  # before anything is loaded
        job.prepare(clip)
    with ExitStack() as stack:
        threads = torch.get_num_threads()
        job.open(stack, threads)
        for number, clip in enumerate(clips):
            begin_stage(f"comparing on {clip.name} ({number + 1} of {len(clips)})")
            job.run(clip)
        end_stages()
        return job.result()


def _plan(given: Compared) -> Plan:
    if isinstance(given, Plan):
        return given
    return (given if isinstance(given, Pipeline) else Pipeline.load(given)).compile()


def _clip(given: Clip | str | Path, seconds: float | None) -> Clip:
    if not isinstance(given, Clip):
        clip = Clip.read(given, seconds=seconds)
        return replace(clip, name=BUNDLED) if given == bundled_recording() else clip
    most = None if seconds is None else round(seconds * given.rate)
    return Clip(given.name, given.samples[:, :most], given.rate)


class _Job:
    """One comparison: what is compared, and what was found so far."""

    def __init__(
        self, plans: tuple[Plan, Plan], names: tuple[str, str], limits: list[Limit], tracker: str
    ) -> None:
        self.plans, self.names = plans, names
        self.limits, self.tracker = limits, tracker
        self.output = output_type(*plans)
        self.common, self.others = common_ports(*plans)
        same = plans[0].output == plans[1].output and self.common.pop(plans[0].output, None)
        kinds = {OUTPUT: self.output.kind} | {str(r): t.kind for r, t in self.common.items()}
        also = {str(plans[0].output): "it is the output"} if same else {}
        check_ports(limits, kinds, self.others | also)
        self.found: dict[str, dict[str, Measurement]] = {}
        self.seconds: dict[str, float] = {}
        self.silent: dict[str, str] = {}
        self.pictured: Aligned | None = None
        self.worst_file = ""
        self._worst = -math.inf

    def prepare(self, clip: Clip) -> None:
        """Refuses a clip that cannot be a judge, or needs too much memory."""
        for plan in self.plans:
            require_judge(clip, plan.source)
        needed = clip.seconds * sum(
            bytes_per_second(plan.spec(ref)) for plan in self.plans for ref in self.common
        )
        limit = memory_limit()
        if limit is not None and needed > limit:
            text = (
                f"comparing {len(self.common)} ports over the {clip.seconds:.0f} s of {clip.name} "
                f"takes {needed / 1e9:.1f} GB of memory; the limit is {limit / 1e9:.1f} GB"
            )
            fix = f"--seconds {int(clip.seconds * limit / needed)}"
            raise InputError(Problem("too-long", text, fix=fix))

    def open(self, stack: ExitStack, threads: int) -> None:
        """Loads both."""
        self.a, self.b = (
            Side(label, name, plan, list(self.common), threads)
            for label, name, plan in zip("AB", self.names, self.plans, strict=True)
        )
        for side in (self.a, self.b):
            stack.callback(side.session.close)

    def run(self, clip: Clip) -> None:
        """Runs both on a clip, and measures."""
        given = clip.at(self.a.plan.source), clip.at(self.b.plan.source)
        run_in_turns(self.a, self.b, clip.name, given)
        name = clip.name if clip.name not in self.found else f"{clip.name} ({len(self.found) + 1})"
        one, two = self.a.series(), self.b.series()
        aligned = self._compare_output(clip, name, one[OUTPUT], two[OUTPUT])
        for ref, kind in self.common.items():
            self._compare_port(clip, name, ref, kind, (one[str(ref)], two[str(ref)]))
        self.seconds[name] = clip.seconds
        relative = self.found[name][OUTPUT].sums.relative
        if relative > self._worst:
            self._worst, self.worst_file, self.pictured = relative, name, aligned

    def _compare_output(self, clip: Clip, name: str, one: PortSeries, two: PortSeries) -> Aligned:
        made = [
            _in_form(series.between(clip.seconds), plan.output_type, self.output)
            for series, plan in zip((one, two), self.plans, strict=True)
        ]
        self._require_output(name, made[0].values)
        pair = match_in_time(made[0], made[1], float(self.output.rate))
        aligned = align(pair, float(self.output.rate))
        found = measure(self.output, pair, aligned, name, self.tracker)
        self.found[name] = {OUTPUT: found}
        return aligned

    def _require_output(self, clip: str, values: np.ndarray) -> None:
        """The output of A must hold something, else nothing is compared."""
        if len(values) < _FEWEST or not values.any():
            what = "0 throughout"
        elif isinstance(self.output, Audio) and (
            loudest_db(values.T, float(self.output.rate)) < SILENT_DB
        ):
            what = f"silent (its loudest 50 ms are below {SILENT_DB:g} dB of full scale)"
        else:
            return
        text = f"the output of A, {self.names[0]}, is {what} on {clip}: it cannot be a reference"
        fix = "give speech on which A does something"
        raise InputError(Problem("silent", text, fix=fix))

    def _compare_port(
        self,
        clip: Clip,
        name: str,
        ref: PortRef,
        kind: SignalType,
        series: tuple[PortSeries, PortSeries],
    ) -> None:
        one, two = (each.between(clip.seconds) for each in series)
        pair = match_in_time(one, two, float(kind.rate))
        if len(pair.times) < _FEWEST:
            self.silent[str(ref)] = f"{len(pair.times)} values in {clip.seconds:.2f} s of {name}"
            return
        if not pair.reference.any() and not pair.other.any():
            self.silent[str(ref)] = f"0 throughout in A and B on {name}"
            return
        aligned = align(pair, float(kind.rate))
        self.found[name][str(ref)] = measure(kind, pair, aligned, name, self.tracker)

    def result(self) -> Comparison:
        """Everything as one report."""
        # A port that some file could not compare is not compared: no verdict over a part.
        ports = [OUTPUT, *(str(r) for r in self.common if str(r) not in self.silent)]
        together = {port: pooled([file[port] for file in self.found.values()]) for port in ports}
        cost = compare_costs(self.a, self.b)
        check_ports(self.limits, {p: m.type.kind for p, m in together.items()}, self.silent)
        values = {
            name: {port: values_of(file[port]) for port in ports}
            for name, file in self.found.items()
        }
        limits = judge(self.limits, values, cost.cpu_ratio)
        assert self.pictured is not None
        made = ComparisonReport(
            a=self._side(self.a),
            b=self._side(self.b),
            identical=all(found.identical for found in together.values()),
            together=[report(port, found) for port, found in together.items()],
            files=[
                FileComparison(
                    file=name,
                    seconds=self.seconds[name],
                    ports=[report(port, file[port]) for port in ports],
                )
                for name, file in self.found.items()
            ],
            worst_file=self.worst_file,
            not_compared=[
                UncomparedPort(port=port, why=why)
                for port, why in (self.others | self.silent).items()
            ],
            cost=cost,
            limits=limits,
            within=_verdict(limits),
            notes=self._notes(),
        )
        return Comparison(made, self.pictured, self.output, self.tracker)

    def _side(self, side: Side) -> SideReport:
        plan = side.plan
        return SideReport(
            name=side.name,
            plan=plan.hash,
            block_ms=float(1000 * plan.block),
            latency_ms=float(1000 * plan.latency.algorithmic),
            output=str(plan.output_type),
            seed=plan.settings.seed,
            notes=list(side.session.notes),
        )

    def _notes(self) -> list[str]:
        one, two = self.plans
        found = []
        if one.settings.seed != two.settings.seed:
            found.append(
                f"seeds differ ({one.settings.seed} and {two.settings.seed}), so noise is a part "
                "of the difference: --set seed=0 gives both the same"
            )
        if one.output_type != two.output_type:
            found.append(
                f"outputs differ in type ({one.output_type}, {two.output_type}): "
                f"compared as {self.output}"
            )
        if one.hash == two.hash:
            found.append("A and B are the same plan")
        return found


def _in_form(series: PortSeries, kind: SignalType, wanted: SignalType) -> PortSeries:
    """Audio in another rate and channel count; time 0 stays at sample 0."""
    if kind == wanted or not isinstance(wanted, Audio):
        return series
    values = series.values
    if values.shape[1] != wanted.channels:
        values = values.mean(axis=1, keepdims=True)
    if kind.rate != wanted.rate:
        values = soxr.resample(values, float(kind.rate), float(wanted.rate), "HQ")
    times = series.times[0] + np.arange(len(values)) / float(wanted.rate)
    return PortSeries(times, values.astype(np.float32))


def _verdict(limits: list[LimitReport]) -> bool | None:
    if not limits:
        return None
    if any(limit.ok is False for limit in limits):
        return False
    return None if any(limit.ok is None for limit in limits) else True
