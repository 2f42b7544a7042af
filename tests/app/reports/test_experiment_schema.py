"""The JSON Schema of experiment files: current, valid, and of the same opinion as the loader."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from voicegraph.app.reports.editor_schema import builtin, committed
from voicegraph.app.reports.experiment_schema import COMMAND, FILE_NAME, main, text
from voicegraph.experiments.file.kind import EXPERIMENT
from voicegraph.experiments.file.load import load_experiment
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.loading.document import parse_document, read_document

BASE = """\
version: 1
pipeline: world
clips: {files: speech, draw: {speakers: 4}}
targets: {heart: {set: {vars.transpose: 3}}}
factors:
  tracker: {swap: f0, levels: {dio: f0.dio, praat: {use: f0.praat, params: {fill: false}}}}
  retrieve: {set: vars.formant, values: [0, 0.5]}
  noise: {clean: null, pink: {noise: pink, snr: 20}, fast: {set: {block: 40ms}}}
metrics: [latency, {level: {}}]
compare: [{vary: tracker}]
"""
WRONG = {
    "unknown key": ("pipeline:", "pipelin:"),
    "key of clips": ("files:", "fils:"),
    "key of a draw": ("speakers: 4", "speaker: 4"),
    "number of speakers": ("speakers: 4", "speakers: 0"),
    "key of a target": ("heart: {set:", "heart: {sets:"),
    "key of a swap": ("levels: {dio", "level: {dio"),
    "node of a swap": ("use: f0.praat", "use: f0"),
    "key of a level of a swap": ("params: {fill", "param: {fill"),
    "param of a condition": ("snr: 20", "snr: loud"),
    "value of a pipeline": ("{set: {block: 40ms}}", "{set: 5}"),
    "key of a level": ("{set: {block: 40ms}}", "{set: {block: 40ms}, optinal: true}"),
    "name of a level": ("clean: null", "'a=b': null"),
    "name of a factor": ("noise: {clean", "No ise: {clean"),
    "key of a comparison": ("vary: tracker", "vary: tracker, test: t"),
    "metrics": ("[latency, {level: {}}]", "latency"),
    "two metrics in one": ("{level: {}}", "{level: {}, pauses: {}, f0: {}}"),
    "params of a metric": ("{level: {}}", "{level: {loud: true}}"),
}
RIGHT = {
    "as it is": ("", ""),
    "var": ("pipeline: world", "vars: {p: world}\npipeline: $p"),
    "condition of one's own": ("{noise: pink, snr: 20}", "{creak: 5}"),
    "conditions in a row": ("{noise: pink, snr: 20}", "[{gain: -20}, {noise: white, snr: 5}]"),
    "metric of one's own": ("{level: {}}", "{creak: {depth: 5}, optional: true}"),
    "own tracker": ("praat: {use: f0.praat, params: {fill: false}}", "dio2: f0.dio"),
    "extends": ("version: 1\n", "extends: trackers\n"),
    "more levels": ("version: 1\n", "extends: trackers\nprofiles: {a: {seeds: [1]}}\n"),
    "system": ("fast: {set: {block: 40ms}}", "fast: {system: source}"),
}


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(committed(FILE_NAME).read_text(encoding="utf-8"))


def complaints(schema: dict[str, Any], data: Any) -> list[str]:
    validator = jsonschema.Draft202012Validator(schema)
    return [error.message for error in validator.iter_errors(data)]


def test_committed_schema_is_current() -> None:
    assert committed(FILE_NAME).read_text(encoding="utf-8") == text(builtin()), COMMAND


def test_schema_is_valid(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)


@pytest.mark.parametrize("name", sorted(EXPERIMENT.family.shipped()))
def test_shipped_experiments_fit(name: str, schema: dict[str, Any]) -> None:
    data = read_document(EXPERIMENT.family.shipped()[name], kind=EXPERIMENT).data
    assert complaints(schema, data) == []


def changed(old: str, new: str) -> str:
    assert old in BASE
    return BASE.replace(old, new, 1)


@pytest.mark.parametrize(("old", "new"), WRONG.values(), ids=WRONG)
def test_what_the_loader_refuses_is_marked(old: str, new: str, schema: dict[str, Any]) -> None:
    data = parse_document(changed(old, new), "e.yaml", Path(), kind=EXPERIMENT).data
    assert complaints(schema, data)


@pytest.mark.parametrize(("old", "new"), RIGHT.values(), ids=RIGHT)
def test_what_the_loader_takes_is_not_marked(
    old: str, new: str, schema: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(changed(old, new), encoding="utf-8")
    load_experiment(path)
    assert complaints(schema, read_document(path, kind=EXPERIMENT).data) == []


def test_both_refuse_a_misspelt_key(tmp_path: Path, schema: dict[str, Any]) -> None:
    path = tmp_path / "e.yaml"
    path.write_text(changed("levels: {dio", "lvels: {dio"), encoding="utf-8")
    with pytest.raises(PipelineError):
        load_experiment(path)
    assert complaints(schema, read_document(path, kind=EXPERIMENT).data)


def test_every_key_has_a_description(schema: dict[str, Any]) -> None:
    bare = [
        f"{owner}.{key}"
        for owner, part in {"": schema, **schema["$defs"]}.items()
        for key, value in part.get("properties", {}).items()
        if not value.get("description") and "$ref" not in value and not owner.startswith("params.")
    ]
    assert bare == []


def test_a_schema_of_all_installed_nodes_can_be_written(tmp_path: Path) -> None:
    assert main([str(tmp_path / "s.json")]) == 0
    written = json.loads((tmp_path / "s.json").read_text(encoding="utf-8"))
    assert "params.f0.dio" in written["$defs"]
