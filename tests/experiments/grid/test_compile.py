"""Experiments are compiled before anything runs: cells, keys, mistakes."""

from __future__ import annotations

from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.experiments import metrics
from voicegraph.experiments.compiled import CompiledExperiment
from voicegraph.experiments.file.load import load_experiment, load_mapping
from voicegraph.experiments.grid.check import check_report
from voicegraph.experiments.grid.compile import compile_experiment
from voicegraph.experiments.store.store import Store
from voicegraph.experiments.task import Kind
from voicegraph.graph import registry
from voicegraph.graph.errors import PipelineError, Problem

QUIET = {"use": "dsp.gain", "in": "input", "params": {"db": -6}}
PIPELINE: dict[str, Any] = {
    "block": "10ms",
    "input": {"rate": 16000},
    "nodes": {"quiet": QUIET},
    "output": "quiet",
}
TRACKERS = """
version: 1
factors:
  pipeline:
    world: {pipeline: world}
    default: {pipeline: default}
  tracker:
    swap: f0
    levels:
      dio: f0.dio
      LEVEL
metrics: [level]
"""


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A pipeline of one node that compiles in a millisecond."""
    import yaml

    path = tmp_path_factory.mktemp("pipeline") / "quiet.yaml"
    path.write_text(yaml.safe_dump(PIPELINE))
    return str(path)


@pytest.fixture(scope="module")
def speech(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a recording of each of eight speakers."""
    folder = tmp_path_factory.mktemp("speech")
    for number in range(8):
        soundfile.write(folder / f"{number}.wav", np.full(1600, 0.1), 16000)
    return str(folder)


def compiled(pipeline: str, **keys: Any) -> CompiledExperiment:
    data = {"pipeline": pipeline, "metrics": ["level"], **keys}
    return compile_experiment(load_mapping(data))


def names(experiment: CompiledExperiment) -> list[str]:
    return [cell.name for cell in experiment.cells if cell.excluded is None]


def trackers(folder: Path, level: str, **overrides: object) -> CompiledExperiment:
    path = folder / "trackers.yaml"
    path.write_text(TRACKERS.replace("LEVEL", level))
    return compile_experiment(load_experiment(path, overrides))


# ---- cells ----------------------------------------------------------------------------------


def test_product_has_every_combination(pipeline: str) -> None:
    found = compiled(pipeline, factors={
        "gain": {"set": "nodes.quiet.params.db", "values": [0, -6]},
        "noise": {"clean": None, "pink": {"noise": "pink", "snr": 20}},
    })  # fmt: skip
    assert names(found) == [
        "gain=0, noise=clean", "gain=0, noise=pink", "gain=-6, noise=clean", "gain=-6, noise=pink",
    ]  # fmt: skip
    assert Counter(task.kind for task in found.tasks)[Kind.CONVERT] == 4
    assert Counter(task.kind for task in found.tasks)[Kind.INPUT] == 2


def test_one_at_a_time_differs_from_the_baseline_in_one_factor(pipeline: str) -> None:
    found = compiled(
        pipeline,
        design="one-at-a-time",
        baseline={"gain": "-6"},
        factors={
            "gain": {"set": "nodes.quiet.params.db", "values": [0, -6]},
            "block": {"set": "block", "values": ["10ms", "20ms"]},
        },
    )
    assert names(found) == ["gain=-6, block=10ms", "gain=0, block=10ms", "gain=-6, block=20ms"]


def test_excluded_cells_say_why(pipeline: str) -> None:
    found = compiled(
        pipeline,
        exclude=["gain=0"],
        factors={"gain": {"set": "nodes.quiet.params.db", "values": [0, -6]}},
    )
    assert [cell.excluded for cell in found.cells] == ["exclude: gain=0", None]
    assert len(found.items) == 1


def test_requirement_strikes_out_cells_before_they_run(pipeline: str) -> None:
    found = compiled(
        pipeline,
        require={"latency.buffering_ms": {"max": 30}},
        factors={"block": {"set": "block", "values": ["10ms", "20ms"]}},
    )
    assert [cell.excluded for cell in found.cells] == [
        None, "require: latency.buffering_ms is 40, above 30",
    ]  # fmt: skip


def test_overrides_are_left_out_of_cells_of_the_source(pipeline: str) -> None:
    found = compiled(pipeline, factors={
        "system": {"quiet": {"pipeline": pipeline}, "source": {"system": "source"}},
        "gain": {"set": "nodes.quiet.params.db", "values": [0, -6]},
        "noise": {"clean": None, "pink": {"noise": "pink", "snr": 20}},
    })  # fmt: skip
    assert names(found)[-2:] == ["source, noise=clean", "source, noise=pink"]
    of_source = [item for item in found.items if item.cell.startswith("source")]
    assert [item.made == item.given for item in of_source] == [True, True]


def test_equal_plans_are_converted_once(pipeline: str) -> None:
    found = compiled(pipeline, factors={
        "gain": {"once": {"set": {"nodes.quiet.params.db": -6}}, "again": {"set": {}}},
    })  # fmt: skip
    assert len(found.cells) == 2
    assert Counter(task.kind for task in found.tasks)[Kind.CONVERT] == 1
    assert len({item.made for item in found.items}) == 1


# ---- keys -----------------------------------------------------------------------------------


def keys(experiment: CompiledExperiment, kind: Kind) -> list[str]:
    return [task.key for task in experiment.tasks if task.kind == kind]


def test_keys_are_the_same_every_time(pipeline: str) -> None:
    one, two = compiled(pipeline), compiled(pipeline)
    assert one.hash == two.hash
    assert [task.key for task in one.tasks] == [task.key for task in two.tasks]


def test_seed_counts_only_where_something_is_random(pipeline: str) -> None:
    found = compiled(pipeline, seeds=[1, 2], factors={
        "noise": {"clean": None, "pink": {"noise": "pink", "snr": 20}},
    })  # fmt: skip
    made = {item.cell: set() for item in found.items}
    for item in found.items:
        made[item.cell].add(item.made)
    assert {cell: len(sounds) for cell, sounds in made.items()} == {
        "noise=clean": 1, "noise=pink": 2,
    }  # fmt: skip


def test_packages_that_keys_hold_are_named_with_versions(pipeline: str) -> None:
    found = compiled(pipeline).packages
    assert found["numpy"] == version("numpy")
    assert "rich" not in found


def test_strict_counts_the_kind_of_machine(pipeline: str) -> None:
    plain, strict = compiled(pipeline), compiled(pipeline, strict=True)
    assert not {*keys(plain, Kind.CONVERT)} & {*keys(strict, Kind.CONVERT)}


def test_contents_of_files_count_and_their_names_do_not(tmp_path: Path) -> None:
    import shutil

    from voicegraph.graph.loading.sources import shipped_folder

    voices = shipped_folder() / "voices"
    first, copy = tmp_path / "first.safetensors", tmp_path / "sub" / "copy.safetensors"
    copy.parent.mkdir()
    shutil.copy(voices / "heart.safetensors", first)
    shutil.copy(voices / "heart.safetensors", copy)

    def converted(path: Path) -> list[str]:
        return keys(compiled("default-live", set={"vars.voice": str(path)}), Kind.CONVERT)

    same = converted(first)
    assert converted(copy) == same
    shutil.copy(voices / "michael.safetensors", first)
    assert converted(first) != same


def test_precision_is_unknown_until_it_was_tried(pipeline: str, tmp_path: Path) -> None:
    store = Store(tmp_path / "store")
    loaded = load_mapping({
        "pipeline": pipeline, "metrics": ["level"], "set": {"nodes.quiet.dtype": "auto"},
    })  # fmt: skip
    before = compile_experiment(loaded, store=store)
    assert not store.path.exists()
    tried = compile_experiment(loaded, store=store, resolve=True)
    known = compile_experiment(loaded, store=store)
    assert keys(before, Kind.CONVERT) != keys(tried, Kind.CONVERT)
    assert keys(known, Kind.CONVERT) == keys(tried, Kind.CONVERT)
    work = next(task.work for task in tried.tasks if task.kind == Kind.CONVERT)
    assert dict(work.precisions) == {"quiet": "float32"}  # pyright: ignore[reportAttributeAccessIssue]


# ---- mistakes -------------------------------------------------------------------------------


def test_mistake_of_a_level_is_told_once_and_at_the_level(tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as caught:
        trackers(tmp_path, "bad: {use: f0.dio, params: {flor: 60}}")
    (problem,) = caught.value.problems
    assert problem.mark is not None
    assert (Path(problem.mark.source).name, problem.mark.line) == ("trackers.yaml", 11)


def test_block_that_does_not_fit_has_the_compilers_fix(tmp_path: Path) -> None:
    path = tmp_path / "blocks.yaml"
    path.write_text(
        "pipeline: default-live\nfactors:\n  block: {set: block, values: [40ms, 250ms]}\n"
        "metrics: [level]\n"
    )
    with pytest.raises(PipelineError) as caught:
        compile_experiment(load_experiment(path))
    (problem,) = caught.value.problems
    assert problem.mark is not None
    assert (problem.mark.line, problem.mark.column) == (3, 38)
    assert problem.fix is not None
    assert "240ms" in problem.fix
    assert "260ms" in problem.fix


def test_all_mistakes_of_all_levels_come_at_once(pipeline: str) -> None:
    with pytest.raises(PipelineError) as caught:
        compiled(
            pipeline,
            metrics=["levle"],
            factors={
                "gain": {"set": "nodes.quiet.params.db", "values": [0, "loud", "quiet"]},
                "noise": {"clean": None, "pinc": {"noise": "pinc", "snr": 20}},
            },
        )
    assert len(caught.value.problems) == 4


def test_optional_level_is_left_out_and_told(tmp_path: Path) -> None:
    level = "rmvpe: {use: f0.rmvpe, assets: {rmvpe: nowhere.pt}, optional: true}"
    found = trackers(tmp_path, level)
    assert found.factors["tracker"] == ("dio",)
    assert [warning.code for warning in found.warnings] == ["left-out"]


def test_missing_file_of_a_level_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(PipelineError) as caught:
        trackers(tmp_path, "rmvpe: {use: f0.rmvpe, assets: {rmvpe: nowhere.pt}}")
    assert {problem.code for problem in caught.value.problems} == {"no-such-file"}


def test_target_override_that_no_pipeline_takes_is_a_mistake(pipeline: str) -> None:
    with pytest.raises(PipelineError) as caught:
        compiled(pipeline, targets={"heart": {"set": {"vars.voice": "heart.safetensors"}}})
    assert "no pipeline of the experiment has vars.voice" in str(caught.value)


# ---- what is told ---------------------------------------------------------------------------


def test_side_effects_of_a_swap_are_named(tmp_path: Path) -> None:
    pytest.importorskip("parselmouth")
    found = trackers(
        tmp_path, "praat: f0.praat", **{"factors.pipeline": {"w": {"pipeline": "world"}}}
    )
    changed = {effect.what: (effect.before, effect.after) for effect in found.side_effects}
    assert changed == {
        "f0.fill": ("false", "true"),
        "f0.context": ("300ms", "0s"),
        "f0.refine": ("true", "none"),
    }


def test_what_a_level_says_is_no_side_effect(tmp_path: Path) -> None:
    pytest.importorskip("parselmouth")
    level = "praat: {use: f0.praat, params: {fill: false, context: 300ms}}"
    found = trackers(tmp_path, level, **{"factors.pipeline": {"w": {"pipeline": "world"}}})
    assert [effect.what for effect in found.side_effects] == ["f0.refine"]


def test_nodes_of_a_file_are_loaded_and_hashed(pipeline: str, tmp_path: Path) -> None:
    from ..work.test_code_identity import NODE

    path = tmp_path / "own.py"
    path.write_text(NODE.format(factor=2))
    with registry.isolated():
        found = compiled(
            pipeline,
            nodes=[str(path)],
            factors={"node": {"swap": "quiet", "levels": {"own": "test.own"}}},
        )
        first = keys(found, Kind.CONVERT)
        path.write_text(NODE.format(factor=3))
        again = compiled(
            pipeline,
            nodes=[str(path)],
            factors={"node": {"swap": "quiet", "levels": {"own": "test.own"}}},
        )
    assert found.tasks[-1].nodes_files[0][0] == str(path)
    assert keys(again, Kind.CONVERT) != first


def test_an_optional_metric_without_its_package_is_left_out(
    pipeline: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lacking = Problem("missing-package", "needs a package", fix="pip install it")
    monkeypatch.setattr(
        metrics, "missing", lambda metric: [lacking] if metric.name == "level.peak" else []
    )
    factors = {"gain": {"set": "nodes.quiet.params.db", "values": [0, -6]}}
    given: dict[str, Any] = {
        "metrics": ["level.rms", {"level.peak": None, "optional": True}],
        "compare": [{"vary": "gain", "metrics": ["level.rms", "level.peak"]}],
    }
    found = compiled(pipeline, factors=factors, **given)
    assert [metric.name for metric in found.metrics] == ["level.rms"]
    assert list(found.contrasts[0].metrics) == ["level.rms"]
    assert any("level.peak is left out" in warning.message for warning in found.warnings)
    with pytest.raises(PipelineError, match="needs a package"):
        compiled(pipeline, factors=factors, metrics=["level.peak"])


LISTENER = """
from voicegraph.experiments import Observer, Origin, metric, observer


@observer("test.listener", heard=[Origin("hama", "what it was taught"), Origin("f0.harvest")])
class Listener(Observer):
    def observe(self, audio):
        return {"loud": audio.max()}


@metric("sound.loud", of="test.listener")
def loud(made):
    return float(made["loud"])
"""


def test_metric_of_a_common_origin_is_not_independent(tmp_path: Path) -> None:
    from voicegraph.experiments.registry import isolated

    path = tmp_path / "listener.py"
    path.write_text(LISTENER)
    with isolated():
        found = compile_experiment(load_mapping({
            "metrics_files": [str(path)],
            "metrics": ["sound.loud"],
            "factors": {
                "pipeline": {"world": {"pipeline": "world"}, "default": {"pipeline": "default"}},
                "tracker": {"swap": "f0", "levels": {"dio": "f0.dio", "harvest": "f0.harvest"}},
            },
        }))  # fmt: skip
    assert {(one.system, one.origin) for one in found.dependences} == {
        ("default", "hama"),  # it taught the encoder, by the card of its file
        ("default, tracker=harvest", "f0.harvest"),
        ("world, tracker=harvest", "f0.harvest"),
    }


def test_plug_in_that_fails_is_a_mistake_with_a_place(tmp_path: Path) -> None:
    from voicegraph.experiments.registry import isolated

    path = tmp_path / "broken.py"
    path.write_text(
        "from voicegraph.experiments import MetricFamily, family\n\n\n"
        '@family("broken")\nclass Broken(MetricFamily):\n'
        "    def metrics(self, given):\n        return given.nothing\n"
    )
    with isolated(), pytest.raises(PipelineError) as caught:
        compile_experiment(
            load_mapping({"pipeline": "world", "metrics_files": [str(path)], "metrics": ["broken"]})
        )
    assert [problem.code for problem in caught.value.problems] == ["plug-in-failed"]


def test_program_is_a_system_with_its_files_and_deadline(tmp_path: Path) -> None:
    program = tmp_path / "my_vc.py"
    program.write_text("import shutil, sys; shutil.copy(*sys.argv[1:])\n")
    path = tmp_path / "systems.yaml"
    text = (
        "factors:\n  system:\n    mine:\n"
        '      command: [python, my_vc.py, "{input}", "{output}"]\n      latency: 20ms\n'
        "metrics: [level]\nresources: {deadline: 30s}\n"
    )
    path.write_text(f"{text}require: {{latency.algorithmic_ms: {{max: 15}}}}\n")
    struck = compile_experiment(load_experiment(path))
    assert struck.cells[0].excluded == "require: latency.algorithmic_ms is 20, above 15"
    path.write_text(text)
    found = compile_experiment(load_experiment(path))
    (task,) = [task for task in found.tasks if task.kind == Kind.CONVERT]
    work: Any = task.work
    assert (work.deadline_s, work.folder) == (30.0, str(tmp_path))
    assert found.cells[0].stated_latency_ms == 20.0
    assert [Path(name).name for name, _ in work.contents] == ["my_vc.py"]
    program.write_text("import shutil, sys; shutil.move(*sys.argv[1:])\n")
    again = compile_experiment(load_experiment(path))
    assert keys(again, Kind.CONVERT) != [task.key]


def test_program_that_is_missing_is_told_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "systems.yaml"
    text = (
        "factors:\n  system:\n    source: {system: source}\n    mine:\n"
        '      command: [no-such-program, "{input}", "{output}"]\n      latency: 20ms\n'
        "      files: [model.onnx]\n      optional: false\nmetrics: [level]\n"
    )
    path.write_text(text)
    with pytest.raises(PipelineError) as caught:
        compile_experiment(load_experiment(path))
    found = caught.value.problems
    assert [(problem.code, problem.mark and problem.mark.line) for problem in found] == [
        ("no-such-file", 5), ("no-such-file", 5),
    ]  # fmt: skip
    path.write_text(text.replace("optional: false", "optional: true"))
    left = compile_experiment(load_experiment(path))
    assert left.factors["system"] == ("source",)


def test_match_takes_what_the_voices_card_states() -> None:
    found = compile_experiment(load_mapping({
        "metrics": ["level"],
        "targets": {"heart": {"set": {"vars.voice": "voices/heart.safetensors"}}},
        "factors": {
            "pipeline": {
                "world": {"pipeline": "world", "match": "transpose"},
                "live": {"pipeline": "default-live", "match": "start"},
            },
        },
    }))  # fmt: skip
    world, live = (task for task in found.tasks if task.kind == Kind.CONVERT)
    matches: list[Any] = [world.work.match, live.work.match]  # pyright: ignore[reportAttributeAccessIssue]
    assert [match.rules for match in matches] == [("transpose",), ("start",)]
    assert matches[0].target_hz == 191.54
    assert world.needs == live.needs  # the clean clip, which is given and measured


# ---- families of tests ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, True),
        ({"metrics": ["level.rms"]}, False),
        ({"within": []}, False),
        ({"correct": "bh"}, False),
        ({"correct": "none"}, False),
        ({"test": "bootstrap"}, False),
    ],
    ids=["large", "one-metric", "averaged", "bh", "none", "bootstrap"],
)
def test_a_family_too_large_for_its_speakers_is_told_with_what_mends_it(
    pipeline: str, speech: str, changed: dict[str, Any], told: bool
) -> None:
    entry = {
        "vary": "gain",
        "metrics": ["level.rms", "level.peak", "latency.algorithmic_ms"],
        **changed,
    }
    found = compiled(
        pipeline,
        clips={"files": speech, "speaker": "{stem}", "draw": {"speakers": 7}},
        metrics=["level", "latency"],
        factors={
            "gain": {"set": "nodes.quiet.params.db", "values": [0, -6]},
            "noise": {"clean": None, "pink": {"noise": "pink", "snr": 10}},
        },
        compare=[entry],
    )
    warned = [problem for problem in found.warnings if problem.code == "family-too-large"]
    assert bool(warned) is told
    if told:
        assert "7 speakers cannot reach p = 0.05 in a family of 4 tests" in warned[0].message
        assert "0.062" in warned[0].message
        assert "clips.draw.speakers: 8" in str(warned[0].fix)
        assert "at most 3 tests" in str(warned[0].fix)
        assert check_report(found).contrasts[0].family == 4
