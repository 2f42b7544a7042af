"""Loading an experiment file: extending, overriding, and every mistake with place and fix."""

from __future__ import annotations

import string
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicegraph.experiments.file.load import load_experiment, load_mapping
from voicegraph.experiments.file.loaded_experiment import LoadedExperiment
from voicegraph.graph.errors import PipelineError, Problem
from voicegraph.graph.loading.load import load_pipeline

HEAD = "metrics: [latency]\npipeline: world\n"
TRACKERS = """\
metrics: [latency, {words: {model: tiny}}]
pipeline: world
clips: {files: speech, draw: {speakers: 4}}
targets: {heart: {set: {vars.transpose: 3}}}
factors:
  tracker: {swap: f0, levels: {dio: f0.dio, swift: f0.swift}}
  noise: {clean: null, pink20: {noise: pink, snr: 20}, buzz: {noise: white, snr: 5}}
seeds: [1, 2]
goals: {words.wer: "<= .2"}
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> str:
    Path(name).write_text(text, encoding="utf-8")
    return f"./{name}"


def load(text: str, *sets: str, **options: Any) -> LoadedExperiment:
    return load_experiment(write("e.yaml", text), set_args=sets, **options)


def refused(text: str, *sets: str, **options: Any) -> PipelineError:
    with pytest.raises(PipelineError) as caught:
        load(text, *sets, **options)
    assert all(problem.fix for problem in caught.value.problems)
    return caught.value


def levels(loaded: LoadedExperiment) -> dict[str, list[str]]:
    return {factor: list(found) for factor, found in loaded.factors.items()}


# ---- extending and overriding ---------------------------------------------------------------


def test_a_factor_that_is_given_again_replaces_the_other() -> None:
    write("t.yaml", TRACKERS)
    loaded = load(
        "extends: ./t.yaml\nfactors:\n  tracker: null\n  noise: {clean: null}\n"
        "  block: {set: block, values: [40ms, 100ms]}\n"
    )
    assert levels(loaded) == {"noise": ["clean"], "block": ["40ms", "100ms"]}
    assert loaded.file.seeds == [1, 2]
    assert loaded.file.clips.draw is not None


def test_a_factor_may_keep_the_levels_that_it_extends() -> None:
    write("t.yaml", TRACKERS)
    loaded = load(
        "extends: ./t.yaml\nfactors:\n"
        "  tracker: {extends: true, levels: {yin: my.yin, dio: null}}\n"
        "  noise: {extends: true, clean: null, pink20: {gain: -20}, hum: {noise: hum}}\n"
    )
    assert levels(loaded) == {
        "tracker": ["swift", "yin"],
        "noise": ["clean", "pink20", "buzz", "hum"],
    }
    assert loaded.factors["noise"]["pink20"].conditions == ({"gain": -20},)


def test_a_factor_that_extends_nothing_is_refused() -> None:
    text = HEAD + "factors: {a: {extends: true, b: null}}\n"
    assert "none has a" in str(refused(text))
    assert "expected true" in str(refused(text.replace("true", "trackers")))


def test_a_missing_level_of_a_replaced_factor_is_explained() -> None:
    write("t.yaml", TRACKERS + "compare: [{vary: tracker, baseline: dio}]\n")
    text = "extends: ./t.yaml\nfactors: {tracker: {swap: f0, levels: {a: f0.dio, b: f0.praat}}}\n"
    assert "`extends: true` in it keeps its levels" in str(refused(text))


def test_targets_and_clips_merge_and_lists_replace() -> None:
    write("t.yaml", TRACKERS)
    loaded = load(
        "extends: ./t.yaml\nclips: {draw: {seed: 3}}\nmetrics: [pauses]\n"
        "targets: {heart: {sex: F}, michael: {sex: M}}\ngoals: {words.wer: null}\n"
    )
    assert loaded.file.clips.draw is not None
    assert (loaded.file.clips.draw.speakers, loaded.file.clips.draw.seed) == (4, 3)
    assert list(loaded.targets) == ["heart", "michael"]
    assert loaded.file.targets["heart"].overrides == {"vars.transpose": 3}
    assert loaded.file.metrics == [{"pauses": None}]
    assert loaded.file.goals == {}


def test_one_level_is_added_changed_or_removed_by_its_path() -> None:
    loaded = load(
        TRACKERS,
        "factors.tracker.levels.yin=my.yin",
        "factors.tracker.levels.dio=null",
        "factors.noise.pink20.snr=15",
        "factors.noise.buzz=null",
        "factors.noise.hum={noise: hum}",
        "clips.draw.speakers=2",
    )
    assert levels(loaded) == {"tracker": ["swift", "yin"], "noise": ["clean", "pink20", "hum"]}
    assert loaded.factors["noise"]["pink20"].conditions == ({"noise": "pink", "snr": 15},)
    assert loaded.file.clips.draw is not None
    assert loaded.file.clips.draw.speakers == 2


def test_a_factor_is_added_by_its_path() -> None:
    loaded = load(HEAD, "factors.block={set: block, values: [40ms, 250ms]}")
    assert levels(loaded) == {"block": ["40ms", "250ms"]}


def test_a_level_of_a_swap_can_get_params_only_as_a_mapping() -> None:
    error = refused(TRACKERS, "factors.tracker.levels.dio.params={floor: 50}")
    assert "has no part params" in str(error)
    assert "factors.tracker.levels.dio={use: f0.dio, params: {floor: 50}}" in str(error)


@pytest.mark.parametrize(
    ("path", "fix"),
    [
        ("compare.0.correct", "compare=[{vary: tracker, correct: bh}]"),
        ("compare.1.correct", "compare=[{vary: tracker}]"),
        ("compare.first", "compare=[{vary: tracker}]"),
    ],
)
def test_a_path_into_a_list_is_answered_with_the_whole_list(path: str, fix: str) -> None:
    error = refused(TRACKERS + "compare: [{vary: tracker}]\n", f"{path}=bh")
    assert "a list is given as a whole" in str(error)
    assert fix in str(error)


def test_profiles_change_the_experiment() -> None:
    text = TRACKERS + "profiles: {quick: {seeds: [7], clips.draw.speakers: 1}}\n"
    loaded = load(text, profiles=["quick"])
    assert loaded.file.seeds == [7]
    assert "has no profile quik" in str(refused(text, profiles=["quik"]))


def test_python_keys_are_the_keys_of_a_file() -> None:
    given = {
        "pipeline": "world",
        "metrics": ["latency", {"words": {}}],
        "factors": {"tracker": {"swap": "f0", "levels": {"dio": "f0.dio"}}},
    }
    loaded = load_mapping(given, {"seeds": [4]}, name="mine")
    assert (loaded.name, loaded.path, loaded.file.seeds) == ("mine", None, [4])
    assert load(loaded.text).file.factors == loaded.file.factors


def test_everything_is_written_out_with_defaults() -> None:
    resolved = load(TRACKERS).as_json()
    assert resolved["resources"]["threads"] == 1
    assert load_mapping(resolved).as_json() == resolved


def test_metrics_are_names_or_mappings_and_may_be_optional() -> None:
    loaded = load("pipeline: world\nmetrics: [a, {b: [c]}, {d: {}, optional: true}]\n")
    assert [(m.name, m.value, m.optional) for m in loaded.metrics] == [
        ("a", None, False), ("b", ["c"], False), ("d", {}, True),
    ]  # fmt: skip


def test_baseline_is_the_first_level_unless_it_is_named() -> None:
    loaded = load(TRACKERS + "baseline: {tracker: swift}\n")
    assert (loaded.baseline("tracker"), loaded.baseline("noise")) == ("swift", "clean")


# ---- kinds of files -------------------------------------------------------------------------


def test_a_pipeline_is_no_experiment_and_the_other_way_round() -> None:
    pipeline = write("p.yaml", "block: 10ms\nnodes: {a: {use: dsp.gain, in: input}}\noutput: a\n")
    with pytest.raises(PipelineError) as caught:
        load_experiment(pipeline)
    assert "this is a pipeline, expected an experiment: voicegraph check, run" in str(caught.value)
    with pytest.raises(PipelineError) as caught:
        load_pipeline(write("e.yaml", TRACKERS))
    assert "this is an experiment, expected a pipeline" in str(caught.value)
    assert "voicegraph experiment check and run take it" in str(caught.value)


def test_a_shipped_pipeline_is_named_as_what_it_is() -> None:
    with pytest.raises(PipelineError) as caught:
        load_experiment("world")
    assert "a shipped pipeline is called world" in str(caught.value)


def test_other_files_are_not_quoted() -> None:
    private = write("private", "password: secret\n")
    for read in (lambda: load_experiment(private), lambda: load(f"extends: {private}\n")):
        with pytest.raises(PipelineError) as caught:
            read()
        assert "secret" not in str(caught.value)


# ---- mistakes -------------------------------------------------------------------------------

WRONG = [
    ("metrics: []\npipeline: world\n", "at least 1 entry", "metrics"),
    ("pipeline: world\nfactors: {}\n", "the experiment needs `metrics`", "metrics: [latency]"),
    (HEAD + "factor: {}\n", "no key `factor`", "factors"),
    (HEAD + "factors: {a: {set: block, valus: [1]}}\n", "no key `valus`", "factors.a.values"),
    (HEAD + "factors: {a: {swap: f0, lvels: {b: f0.dio}}}\n", "`lvels`", "factors.a.levels"),
    (HEAD + "factors: {a: {b: {pipelin: world, set: {}}}}\n", "`pipelin`", "factors.a.b.pipeline"),
    (HEAD + "factors: {a: 5}\n", "expected {swap: NODE, levels", "swap"),
    (HEAD + "factors: {a: {}}\n", "at least 1 entry", ""),
    (HEAD + "factors: {a: {b: 5}}\n", "expected null, a mapping", ""),
    (HEAD + "factors: {a: {'b=c': null}}\n", "cannot be the name of a level", ""),
    (HEAD + "factors: {A b: {c: null}}\n", "cannot be a name in factors", "factors.a_b"),
    (HEAD + "factors: {a: {swap: f0, levels: {b: 5}}}\n", "expected a node such as f0.swift", ""),
    (HEAD + "factors: {a: {swap: f0, levels: {b: dio}}}\n", "is 'dio'", "f0.swift"),
    (HEAD + "factors: {a: {set: block, values: [1, 1]}}\n", "1 occurs twice", ""),
    (HEAD + "factors: {a: {set: block, values: [[1]]}}\n", "expected one value", ""),
    (HEAD + "seeds: [1, 1]\n", "1 occurs twice", ""),
    (HEAD + "seeds: 1\n", "expected a list", "seeds: [1, 2, 3]"),
    (HEAD + "design: produkt\n", "produkt", "design: product"),
    (HEAD + "clips: {fils: speech}\n", "no key `fils`", "clips.files: speech"),
    (HEAD + "clips: {cut: {seconds: [7, 5]}}\n", "the first of the two lengths", ""),
    (HEAD + "clips: {cut: {from: 5}}\n", "needs a unit", ""),
    (HEAD + "clips: {draw: {speakers: 0}}\n", "at least 1", "clips.draw.speakers: 1"),
    (HEAD + "resources: {task_memory: 2}\n", "a size such as 2GB", "2GB"),
    (HEAD + "goals: {words.wer: low}\n", "'low'", ">= 3.5"),
    (HEAD + "store: 5\n", "expected text", "store"),
    ("metrics: [{a: 1, b: 2}]\npipeline: world\n", "expected one metric", "pauses"),
    ("metrics: [{a: 1, optional: 2}]\npipeline: world\n", "expected true or false", ""),
    ("metrics: [{optional: true}]\npipeline: world\n", "found none", ""),
    ("metrics: [5]\npipeline: world\n", "expected a mapping", ""),
]  # fmt: skip


@pytest.mark.parametrize(("text", "said", "fix"), WRONG, ids=range(len(WRONG)))
def test_a_mistake_is_said_with_place_and_fix(text: str, said: str, fix: str) -> None:
    error = refused(text)
    assert said in str(error)
    assert any(fix in str(problem.fix) for problem in error.problems)
    assert all(problem.mark and problem.mark.line for problem in error.problems)


def test_all_mistakes_are_said_at_once() -> None:
    error = refused(
        "metrics: [latency]\npipeline: world\ndesign: x\nseeds: 5\nclips: {fils: a}\n"
        "factors:\n  a: {set: block, valus: [1]}\n  b: {c: 5}\n"
    )
    assert len(error.problems) == 5


REFERENCES = [
    ("baseline: {tracke: dio}", "no factor tracke", "tracker"),
    ("baseline: {tracker: doi}", "no level doi", "baseline.tracker: dio"),
    ("compare: [{vary: tracke}]", "no factor tracke", "vary: tracker"),
    ("compare: [{vary: tracker, baseline: rmvpe}]", "no level rmvpe", "baseline: "),
    ("compare: [{vary: tracker, within: [nois]}]", "no factor nois", "noise"),
    ("compare: [{vary: tracker, within: [tracker]}]", "cannot be held", "remove tracker"),
    ("exclude: [tracker]", "expected factor=level", "factor=level"),
    ("exclude: ['tracker=dioo']", "no level dioo", "tracker=dio"),
    ("exclude: ['noise=clean|pnik20']", "no level pnik20", "noise=pink20"),
    ("exclude: ['target=hart']", "no level hart", "target=heart"),
    ("exclude: [{nose: clean}]", "no factor nose", "noise=clean"),
    ("nodes: [my.py]", "does not exist", "check the name"),
    ("metrics_files: creak.py", "does not exist", "check the name"),
    ("require: {latency.algorithmic_ms: {}}", "neither min nor max", "max: 480"),
    ("require: {latency.algorithmic_ms: {min: 5, max: 4}}", "min is above max", ""),
]


@pytest.mark.parametrize(("line", "said", "fix"), REFERENCES)
def test_a_reference_to_nothing_is_said_with_the_nearest_name(
    line: str, said: str, fix: str
) -> None:
    error = refused(TRACKERS + line + "\n")
    [problem] = error.problems
    assert said in problem.message
    assert fix in str(problem.fix)
    assert problem.mark
    assert problem.mark.line == 10


LEVELS = [
    ("{pipeline: world, system: source}", "has pipeline and system"),
    ("{command: [vc, '{input}'], latency: 1s}", "has no {output}"),
    ("{command: [vc, '{input}', '{output}']}", "needs `latency`"),
    ("{pipeline: world, latency: 1s}", "is of a program"),
    ("{system: source, set: {block: 40ms}}", "changes a pipeline"),
    ("{pipeline: world, targets: [hart]}", "no target hart"),
    ("{system: target}", "no target has any"),
    ("{pipeline: wrld}", "no shipped pipeline is called 'wrld'"),
    ("{pipeline: world, set: {..: 5}}", "factors.x.a.set"),
]


@pytest.mark.parametrize(("level", "said"), LEVELS)
def test_a_level_that_makes_no_sense_is_refused(level: str, said: str) -> None:
    text = f"metrics: [latency]\ntargets: {{heart: {{}}}}\nfactors: {{x: {{a: {level}}}}}\n"
    assert said in str(refused(text))


def test_every_cell_needs_one_system() -> None:
    no_pipeline = "metrics: [latency]\nfactors: {a: {set: block, values: [40ms, 80ms]}}\n"
    assert "the experiment has no pipeline" in str(refused(no_pipeline))
    some = "metrics: [latency]\nfactors: {a: {b: {pipeline: world}, c: {set: {block: 40ms}}}}\n"
    assert "factors.a.c has no pipeline" in str(refused(some))
    two = HEAD + "factors: {a: {b: {pipeline: world}}, c: {d: {system: source}}}\n"
    assert "both give systems" in str(refused(two))


def test_zip_needs_equally_many_levels() -> None:
    text = TRACKERS.replace("pink20: {noise: pink, snr: 20}", "x: null, y: null")
    assert "tracker 2, noise 4" in str(refused(text + "design: zip\n"))


def test_mistakes_in_references_can_be_kept_for_the_grid() -> None:
    loaded = load(TRACKERS + "exclude: [nose=x]\n", keep_going=True)
    assert [problem.code for problem in loaded.problems] == ["unknown-factor"]
    assert loaded.exclude == ()


# ---- hostile files --------------------------------------------------------------------------

_KEYS = ["factors", "metrics", "clips", "pipeline", "swap", "levels", "set", "values", "files",
         "extends", "draw", "cut", "compare", "exclude", "targets", "command", "vars", "seeds",
         "resources", "require", "goals", "nodes", "x", "$x", "\x1b[2J", "a" * 200]  # fmt: skip
_SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8)
_TREES = st.recursive(
    _SCALARS | st.sampled_from(["world", "f0.dio", "latency", "$v", "${", "40ms", "*", "a=b"]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(_KEYS) | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)


def problems_of(read: Callable[[], object]) -> Sequence[Problem]:
    try:
        read()
    except PipelineError as error:
        return error.problems or [Problem("none", "an error without a problem")]
    return ()


@given(st.dictionaries(st.sampled_from(_KEYS), _TREES, min_size=1, max_size=8))
def test_any_keys_load_or_are_refused_with_a_fix(data: dict[str, Any]) -> None:
    given = {"metrics": ["latency"], "pipeline": "world", **data}
    for problem in problems_of(lambda: load_mapping(given)):
        assert problem.message
        assert problem.fix
        assert "\x1b" not in str(problem)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_a_damaged_file_is_refused_without_a_traceback(data: st.DataObject) -> None:
    text = list(TRACKERS)
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(text) - 1))
        text[at] = data.draw(st.sampled_from(string.printable + "\x00\u2028é"))
    for problem in problems_of(lambda: load("".join(text))):
        assert problem.fix
