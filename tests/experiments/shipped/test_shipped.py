"""The experiments that come along: each loads, and every pipeline of it compiles."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from voicegraph.experiments.clips.find import find_clips
from voicegraph.experiments.file.kind import EXPERIMENT
from voicegraph.experiments.file.load import load_experiment
from voicegraph.experiments.file.loaded_experiment import LoadedExperiment
from voicegraph.experiments.statistics.refusal import refusal
from voicegraph.graph.loading.overrides import Override
from voicegraph.graph.pipeline import Pipeline

NAMES = sorted(EXPERIMENT.family.shipped())


def test_the_experiments_of_the_docs_are_there() -> None:
    wanted = {"trackers", "encoders", "retrieval", "blocks", "precision", "noise", "streaming-vc"}
    assert wanted <= {*NAMES}


def systems(loaded: LoadedExperiment) -> list[tuple[str | Path, tuple[str, ...]]]:
    levels = [level for found in loaded.factors.values() for level in found.values()]
    named = [(level.pipeline, level.profiles) for level in levels if level.pipeline is not None]
    return named or [(loaded.pipeline or "", ())]


@pytest.mark.parametrize("name", NAMES)
def test_every_level_compiles_with_every_pipeline(name: str) -> None:
    loaded = load_experiment(name)
    changes: list[tuple[Override, ...]] = [
        level.overrides
        for levels in loaded.factors.values()
        for level in levels.values()
        if level.kind == "overrides"
    ]
    changes += [target.overrides for target in loaded.targets.values()]
    for source, profiles in systems(loaded):
        pipeline = Pipeline.load(source, profiles=profiles, placed=loaded.overrides)
        variables = pipeline.loaded.file.vars
        for placed in changes or [()]:
            fitting = [o for o in placed if o.path[0] != "vars" or o.path[1] in variables]
            pipeline.changed({}, placed=fitting).compile()


@pytest.mark.parametrize("name", NAMES)
def test_without_files_it_is_one_recording_and_no_statistics(name: str) -> None:
    loaded = load_experiment(name)
    clips = find_clips(loaded.file.clips, loaded.source_map)
    assert len(clips) == 1
    problem = refusal(clips, loaded.as_json().get("clips"))
    assert problem is not None
    assert "clips.files" in str(problem.fix)


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_asks_and_how_to_run_it(name: str) -> None:
    loaded = load_experiment(name)
    assert loaded.file.description
    assert loaded.file.compare
    assert f"voicegraph experiment run {name}" in loaded.text
    assert "--set clips.files=" in loaded.text


def test_the_benchmark_lists_its_recordings_by_contents() -> None:
    path = EXPERIMENT.family.folder / "streaming-vc.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len({row["speaker"] for row in rows}) == len(rows) == 24
    assert sorted(row["sex"] for row in rows) == ["F"] * 12 + ["M"] * 12
    assert all(re.fullmatch("[0-9a-f]{64}", row["sha256"]) for row in rows)
    assert all(5 <= float(row["seconds"]) <= 7 for row in rows)
