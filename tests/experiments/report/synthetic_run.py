"""A finished run without having run anything: two pipelines, three trackers, two conditions."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.experiments.results.means import MeanRow, cell_means
from voicegraph.experiments.results.run import Run
from voicegraph.experiments.results.tables import write_table
from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Result
from voicegraph.schemas.experiment_manifest import (
    CellFacts,
    ClipFacts,
    ContrastFacts,
    DependenceFacts,
    FailureFacts,
    MachineFacts,
    Manifest,
    MetricFacts,
    ObserverFacts,
    PageSettings,
    PlanReportFacts,
    SideEffectFacts,
    TargetFacts,
)
from voicegraph.schemas.experiment_tables import CellRow, CostRow, TestRow, ValueRow

FACTORS = {
    "pipeline": ("world", "default"),
    "tracker": ("dio", "swift", "praat"),
    "noise": ("clean", "pink20"),
}
METRICS = (
    MetricFacts(
        name="quality.distillmos",
        title="DistillMOS",
        better="higher",
        digits=2,
        text="predicted mean opinion score, 1 to 5",
        citation="Stahl and Gamper, Distillation and pruning for scalable speech quality (2025).",
        observers=("quality.distillmos",),
        goal=">= 3.5",
    ),
    MetricFacts(
        name="words.wer", title="word error rate", better="lower", text="share of wrong words"
    ),
    MetricFacts(
        name="f0.gross", title="gross F0 errors", better="lower", text="share of voiced frames"
    ),
    MetricFacts(name="f0.median", title="median F0", unit="Hz", digits=1, text="of the output"),
)
_BETTER = {"dio": 0.0, "swift": 0.18, "praat": -0.05}
RATE = 16000


@dataclass
class SyntheticRun:
    """What the page reads of a run."""

    manifest: Manifest
    folder: Path = Path("/nowhere")
    cells: Sequence[CellRow] = ()
    values: Sequence[ValueRow] = ()
    costs: Sequence[CostRow] = ()
    tests: Sequence[TestRow] = ()
    failed: Sequence[FailureFacts] = ()
    sounds: Mapping[str, tuple[np.ndarray, int]] = field(default_factory=dict)

    def cell_rows(self) -> Sequence[CellRow]:
        return self.cells

    def value_rows(self) -> Sequence[ValueRow]:
        return self.values

    def cost_rows(self) -> Sequence[CostRow]:
        return self.costs

    def test_rows(self) -> Sequence[TestRow]:
        return self.tests

    def mean_rows(self) -> Sequence[MeanRow]:
        return cell_means(self.values)

    def failures(self) -> Sequence[FailureFacts]:
        return self.failed

    def sound(self, key: str) -> tuple[np.ndarray, int]:
        return self.sounds[key]


def glide(seconds: float, start_hz: float, end_hz: float, noise: float = 0.0) -> np.ndarray:
    """Harmonics under a gliding F0, float32 ``[samples]`` at 16 kHz."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(np.linspace(start_hz, end_hz, len(time))) / RATE
    sound = sum(np.sin(k * phase) / k for k in range(1, 12)) * 0.12
    swell = np.clip(np.sin(np.pi * time / seconds) * 2, 0, 1)
    random = np.random.default_rng(round(start_hz))
    return (sound * swell + noise * random.standard_normal(len(time))).astype(np.float32)


def name_of(pipeline: str, tracker: str, noise: str) -> str:
    return f"{pipeline}, tracker={tracker}, noise={noise}"


def synthetic_run(
    speakers: int = 6, clips: int = 2, seconds: float = 0.6, extra: str = "", **changes: Any
) -> SyntheticRun:
    """A whole run.

    Args:
        speakers: how many.
        clips: of each.
        seconds: of each sound.
        extra: appended to names of clips, speakers and descriptions.
        changes: of the manifest.
    """
    drawn = [
        ClipFacts(
            name=f"{100 + s}-{c}{extra}",
            path=f"/data/{100 + s}-{c}.flac",
            sha256=f"{s:02x}{c:02x}" * 16,
            speaker=f"{100 + s}{extra}",
            seconds=seconds,
        )
        for s, c in product(range(speakers), range(clips))
    ]
    manifest = _manifest(drawn, extra)
    manifest = manifest.model_copy(update=changes)
    cells, values, sounds = _results(drawn, seconds)
    return SyntheticRun(
        manifest,
        cells=cells,
        values=values,
        costs=_costs(),
        tests=_tests(values) if manifest.statistics_refused is None else (),
        sounds=sounds,
    )


def _manifest(drawn: Sequence[ClipFacts], extra: str) -> Manifest:
    cells = [
        CellFacts(
            name=name_of(*levels),
            levels=dict(zip(FACTORS, levels, strict=True)),
            target="heart" if levels[0] == "default" else None,
            kind="pipeline",
            plan=f"plan-{levels[0]}-{levels[1]}",
        )
        for levels in product(*FACTORS.values())
    ]
    plans = {
        f"plan-{pipeline}-{tracker}": PlanReportFacts(
            key=f"plan-{pipeline}-{tracker}",
            described={},
            explained=f"{pipeline}{extra}\n  f0  f0.{tracker}  16000 Hz",
            algorithmic_ms={"world": 60.0, "default": 115.0}[pipeline] + 40 * (tracker == "praat"),
            buffering_ms=20.0,
            block_ms=20.0,
            files={},
            licences={"voices/heart.safetensors": "Apache-2.0"},
        )
        for pipeline, tracker in product(FACTORS["pipeline"], FACTORS["tracker"])
    }
    return Manifest(
        name="trackers",
        title=f"Pitch trackers{extra}",
        description=f"Which pitch tracker, in which noise, at what cost{extra}",
        command=("voicegraph", "experiment", "run", "trackers.yaml"),
        started="2026-11-28T20:00:00Z",
        finished="2026-11-28T20:09:00Z",
        voicegraph="0.1.0",
        commit="0123abc",
        packages={"torch": "2.13.0", "distillmos": "0.9.1"},
        machines=(MachineFacts(host="bench", processor="EPYC", cores=2, memory_mb=24576),),
        store="/home/me/.cache/voicegraph/experiments",
        hash="ab" * 32,
        seeds=(1,),
        factors=FACTORS,
        conditions=("noise",),
        cells=tuple(cells),
        clips=tuple(drawn),
        targets={"heart": TargetFacts(name="heart", sounds=("target",))},
        plans=plans,
        metrics=METRICS,
        observers=(ObserverFacts(name="quality.distillmos", package="distillmos", licence="MIT"),),
        contrasts=(
            ContrastFacts(
                vary="tracker",
                baseline="dio",
                within=("pipeline", "noise"),
                metrics={"quality.distillmos": 0.05, "words.wer": None, "f0.gross": None},
            ),
        ),
        side_effects=(
            SideEffectFacts(
                factor="tracker",
                level="praat",
                baseline="dio",
                what="nodes.f0.params.fill",
                before="false",
                after="true",
            ),
        ),
        dependences=(
            DependenceFacts(
                metric="phones.hama", system="default", origin="hama", why="it taught the encoder"
            ),
        ),
        page=PageSettings(clips=2, worst=2, format="flac"),
    )


def _results(
    drawn: Sequence[ClipFacts], seconds: float
) -> tuple[list[CellRow], list[ValueRow], dict[str, tuple[np.ndarray, int]]]:
    random = np.random.default_rng(7)
    cells, values = [], []
    sounds = {"target": (glide(seconds, 210, 230), RATE)}
    for at, clip in enumerate(drawn):
        talent = random.normal(0, 0.15)
        low = 90 + 15 * at
        sounds[f"source-{clip.name}"] = glide(seconds, low, low + 40), RATE
        for noise in FACTORS["noise"]:
            level = 0.0 if noise == "clean" else 0.02
            given = "source" if noise == "clean" else "given"
            sounds.setdefault(f"{given}-{clip.name}", (glide(seconds, low, low + 40, level), RATE))
            for pipeline, tracker in product(FACTORS["pipeline"], FACTORS["tracker"]):
                name, key = name_of(pipeline, tracker, noise), f"{pipeline}-{tracker}-{noise}-"
                levels = dict(zip(FACTORS, (pipeline, tracker, noise), strict=True))
                ratio = 1.0 if pipeline == "world" else 2.0
                sounds[key + clip.name] = (
                    glide(seconds, ratio * low, ratio * (low + 40), level / 2),
                    RATE,
                )
                cells.append(
                    CellRow(
                        name,
                        clip.name,
                        clip.speaker,
                        1,
                        "heart" if pipeline == "default" else "",
                        f"plan-{pipeline}-{tracker}",
                        key + clip.name,
                        "done",
                        source=f"source-{clip.name}",
                        given=f"{given}-{clip.name}",
                        levels=levels,
                    )
                )
                gain = _BETTER[tracker] - 0.6 * level / 0.02 + 0.3 * (pipeline == "default")
                made = {
                    "quality.distillmos": 3.4 + talent + gain + random.normal(0, 0.06),
                    "words.wer": max(0.0, 0.12 - 0.1 * gain + random.normal(0, 0.02)),
                    "f0.gross": max(0.0, 0.06 - 0.15 * gain + random.normal(0, 0.01)),
                    "f0.median": low + 20.0,
                }
                values += [
                    ValueRow(name, clip.name, clip.speaker, 1, metric, value)
                    for metric, value in made.items()
                ]
    return cells, values, sounds


def _costs() -> list[CostRow]:
    price = {"dio": 1.1, "swift": 3.2, "praat": 2.0}
    rows = []
    for pipeline, tracker, noise in product(*FACTORS.values()):
        base = 4.0 if pipeline == "world" else 9.0
        cell, dio = name_of(pipeline, tracker, noise), name_of(pipeline, "dio", noise)
        value = base + price[tracker]
        against = dio if tracker != "dio" else ""
        more = price[tracker] - price["dio"]
        rows.append(
            CostRow(
                cell,
                "bench",
                "cpu_ms",
                "ms",
                value,
                value - 0.1,
                value + 0.1,
                against,
                more if against else None,
                more - 0.1 if against else None,
                more + 0.1 if against else None,
            )
        )
    return rows


def _tests(values: Sequence[ValueRow]) -> list[TestRow]:
    rows = []
    by_cell: dict[tuple[str, str], list[float]] = {}
    for row in values:
        assert row.value is not None
        by_cell.setdefault((row.cell, row.metric), []).append(row.value)
    for pipeline, noise, tracker in product(
        FACTORS["pipeline"], FACTORS["noise"], FACTORS["tracker"][1:]
    ):
        for metric in METRICS[:3]:
            ours = np.array(by_cell[name_of(pipeline, tracker, noise), metric.name])
            theirs = np.array(by_cell[name_of(pipeline, "dio", noise), metric.name])
            change = ours - theirs
            half = float(2 * change.std() / np.sqrt(len(change)))
            mean = float(change.mean())
            shown = abs(mean) > half
            sign = 1 if metric.better == "higher" else -1
            verdict = ("better" if sign * mean > 0 else "worse") if shown else "no difference shown"
            margin = 0.05 if metric.name == "quality.distillmos" else None
            rows.append(
                TestRow(
                    vary="tracker",
                    level=tracker,
                    baseline="dio",
                    within=f"pipeline={pipeline}, noise={noise}",
                    metric=metric.name,
                    n=len(change),
                    mean=float(ours.mean()),
                    mean_baseline=float(theirs.mean()),
                    difference=mean,
                    low=mean - half,
                    high=mean + half,
                    p=0.004 if shown else 0.4,
                    p_corrected=0.012 if shown else 0.8,
                    d_z=1.0,
                    superiority=0.8,
                    margin=margin,
                    p_equivalence=None if margin is None else 0.6,
                    equivalent=None if margin is None else False,
                    detectable=0.04,
                    verdict=verdict,
                )
            )
    return rows


def on_disk(run: SyntheticRun, folder: Path) -> Run:
    """The run's folder, as if it had been run; its sounds are in a store beside its tables."""
    store = Store(folder / "store")
    keys = {name: hashlib.sha256(name.encode()).hexdigest() for name in run.sounds}
    for name, (audio, rate) in run.sounds.items():
        store.write(keys[name], Result({"audio": audio}, {"rate": rate}))
    cells = [
        replace(row, **{k: keys.get(getattr(row, k), "") for k in ("sound", "source", "given")})
        for row in run.cells
    ]
    targets = {
        name: target.model_copy(update={"sounds": tuple(keys.get(s, "") for s in target.sounds)})
        for name, target in run.manifest.targets.items()
    }
    manifest = run.manifest.model_copy(update={"store": "store", "targets": targets})
    tables = {"cells": cells, "values": run.values, "costs": run.costs, "tests": run.tests}
    for name, rows in tables.items():
        write_table(folder, name, rows, manifest.factors, "csv")
    (folder / "manifest.json").write_text(manifest.model_dump_json(), encoding="utf-8")
    lines = "".join(f.model_dump_json() + "\n" for f in run.failed)
    (folder / "failures.jsonl").write_text(lines, encoding="utf-8")
    return Run.open(folder)
