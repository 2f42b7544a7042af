"""The JSON Schema for editors: current, valid, and of the same opinion as the loader."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from voicegraph.app.reports import editor_schema
from voicegraph.app.reports.editor_schema import COMMAND, builtin, committed, main, text
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.loading.document import parse_document, read_document
from voicegraph.graph.loading.sources import shipped
from voicegraph.graph.node import Node
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.ports import In, Out
from voicegraph.graph.signals import Audio

SOUND = """\
block: 10ms
nodes:
  low: {use: dsp.gain, in: input, params: {db: -6}}
output: low
"""
WRONG = {
    "unknown key": ("block: 10ms", "blocks: 10ms"),
    "duration without unit": ("block: 10ms", "block: 10"),
    "missing output": ("output: low\n", ""),
    "output is no port": ("output: low", "output: low/x"),
    "unknown param": ("db: -6", "dB: -6"),
    "param of another node": ("db: -6", "threshold: -6"),
    "param out of range": ("db: -6", "db: 61"),
    "param of a wrong type": ("db: -6", "db: loud"),
    "unknown input": ("in: input", "in: {sound: input}"),
    "unknown node key": ("use: dsp.gain,", "use: dsp.gain, gain: 1,"),
    "node name": ("low: {", "Low: {"),
    "node called input": ("low: {", "input: {"),
    "no use": ("use: dsp.gain, ", ""),
    "use is no name": ("use: dsp.gain", "use: gain"),
    "use is no node": ("use: dsp.gain", "use: dsp.gian"),
    "device": ("params:", "device: gpu, params:"),
    "params is no mapping": ("{db: -6}", "[-6]"),
    "null node": ("{use: dsp.gain, in: input, params: {db: -6}}", "null"),
    "required param": (
        "use: dsp.gain, in: input, params: {db: -6}",
        "use: dsp.resample, in: input",
    ),
    "policy": ("output: low", "output: low\non_nan: ignore"),
    "nested var": ("output: low", "output: low\nvars: {a: {b: 1}}"),
}
RIGHT = {
    "as it is": ("", ""),
    "var for a param": ("db: -6", "db: $level"),
    "var in braces": ("db: -6", "db: '${level}'"),
    "var for a node": ("use: dsp.gain, in: input, params: {db: -6}", "use: $which, in: $from"),
    "var for the block": ("block: 10ms", "block: $block"),
    "switched by a var": ("params:", "enabled: $on, params:"),
    "inputs by name": ("in: input", "in: {audio: input}"),
    "rates": ("block: 10ms", "block: 10ms\ninput: {rate: 44100, channels: 2}"),
    "profiles": ("output: low", "output: low\nprofiles: {quiet: {nodes.low.params.db: -20}}"),
}


def _validator(schema: dict[str, Any]) -> jsonschema.Draft202012Validator:
    return jsonschema.Draft202012Validator(schema)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    return json.loads(text(builtin()))


@pytest.fixture(scope="module")
def problems(schema: dict[str, Any]) -> Callable[[str], list[str]]:
    validator = _validator(schema)

    def check(source: str) -> list[str]:
        data = parse_document(source, "p.yaml", Path()).data
        return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(data)]

    return check


def test_committed_schema_is_current() -> None:
    current = text(builtin())
    assert committed().read_text(encoding="utf-8") == current, f"it is not: type  {COMMAND}"


def test_schema_is_valid_json_schema(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"


@pytest.mark.parametrize("name", shipped())
def test_shipped_pipelines_are_valid(name: str, schema: dict[str, Any]) -> None:
    path = shipped()[name]
    found = list(_validator(schema).iter_errors(read_document(path).data))
    assert [f"{path.name} {error.json_path}: {error.message}" for error in found] == []


@pytest.mark.parametrize("case", RIGHT)
def test_valid_files_pass(case: str, problems: Callable[[str], list[str]]) -> None:
    assert problems(SOUND.replace(*RIGHT[case])) == []


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_are_refused(case: str, problems: Callable[[str], list[str]]) -> None:
    """As the loader and the compiler refuse them."""
    source = SOUND.replace(*WRONG[case])
    assert source != SOUND
    assert problems(source)


@pytest.mark.parametrize("case", WRONG)
def test_loader_refuses_the_same_files(case: str, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(SOUND.replace(*WRONG[case]), encoding="utf-8")
    with pytest.raises(PipelineError):
        Pipeline.load(file).compile()


def test_extending_files_may_be_partial(problems: Callable[[str], list[str]]) -> None:
    part = "extends: base.yaml\nnodes:\n  low: {params: {db: -3}}\n  other: null\n"
    assert problems(part) == []
    assert problems(part.replace("extends: base.yaml\n", ""))
    assert problems("extends: base.yaml\n") == []
    assert problems(part.replace("{params: {db: -3}}", "{use: dsp.gain, params: {dB: -3}}"))


def test_every_param_of_every_node_is_described(schema: dict[str, Any]) -> None:
    for name in builtin():
        params = schema["$defs"][f"params.{name}"]
        for key, param in params["properties"].items():
            assert len(param["description"]) > 10, f"{name}: {key}"
    gain = schema["$defs"]["params.dsp.gain"]["properties"]["db"]
    assert gain["default"] == 0.0
    assert "dB" in gain["description"]
    assert "live" in gain["description"]


def test_referenced_definitions_exist(schema: dict[str, Any]) -> None:
    named = {part["$ref"].removeprefix("#/$defs/") for part in _parts(schema) if "$ref" in part}
    assert named <= schema["$defs"].keys()
    assert schema["$defs"].keys() <= named


def _parts(value: Any) -> list[dict[str, Any]]:
    below = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, dict) else []
    return own + [part for entry in below for part in _parts(entry)]


def test_main_writes_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "own.schema.json"
    assert main([str(target)]) == 0
    assert capsys.readouterr().out == f"wrote {target}\n"
    assert "test.shift" in target.read_text(encoding="utf-8")  # whatever is registered
    monkeypatch.setattr(editor_schema, "committed", lambda: tmp_path / "committed.json")
    assert main([]) == 0
    assert "test.shift" not in (tmp_path / "committed.json").read_text(encoding="utf-8")


def test_only_known_nodes_are_valid(scratch_registry: Any) -> None:
    """So that an editor marks a wrong name; a schema with add-ons is written by a command."""
    text = {"block": "10ms", "nodes": {"a": {"use": "mine.gain", "in": "input"}}, "output": "a"}
    assert list(_validator(editor_schema.editor_schema(["dsp.gain"])).iter_errors(text))

    @scratch_registry("mine.gain")
    class Mine(Node):
        """An add-on."""

        audio = In(Audio)
        out = Out(Audio, like="audio")

    assert not list(
        _validator(editor_schema.editor_schema(["dsp.gain", "mine.gain"])).iter_errors(text)
    )


def test_every_node_has_a_sample_of_its_own() -> None:
    """The sample is valid by the schema, too."""
    schema = editor_schema.editor_schema(builtin())
    rules = schema["$defs"]["node"]["allOf"]
    for rule in rules:
        (sample,) = rule["then"]["examples"]
        assert sample["use"] == rule["if"]["properties"]["use"]["const"]
        file = {"block": "10ms", "nodes": {"a": sample}, "output": "a"}
        assert not list(_validator(schema).iter_errors(file)), sample


def test_every_shipped_pipeline_can_be_extended() -> None:
    known = {
        entry.get("const")
        for entry in editor_schema.editor_schema([])["properties"]["extends"]["anyOf"]
    }
    assert known >= shipped().keys()
