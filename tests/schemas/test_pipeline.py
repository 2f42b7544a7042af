"""The models of the pipeline file: defaults, refusals, and what they tell an editor."""

from fractions import Fraction

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from voicegraph.schemas.pipeline import InputSpec, NodeSpec, PipelineFile

GAIN = {"use": "dsp.gain", "in": "input"}


def pipeline(**keys):
    return PipelineFile(**{"block": "10ms", "nodes": {"gain": GAIN}, "output": "gain", **keys})


def node(**keys):
    return pipeline(nodes={"gain": {**GAIN, **keys}}).nodes["gain"]


def refused(build, **keys):
    """The places and kinds of what is refused."""
    with pytest.raises(ValidationError) as caught:
        build(**keys)
    return [(error["loc"], error["type"]) for error in caught.value.errors()]


def test_defaults():
    file = pipeline()
    assert file.version == 1
    assert file.block == Fraction(1, 100)
    assert file.input == InputSpec(rate=Fraction(48000), channels=1)
    assert (file.description, file.extends, file.threads) == (None, None, None)
    assert (file.vars, file.assets, file.profiles) == ({}, {}, {})
    assert (file.seed, file.on_nan, file.on_late) == (0, "error", "fade")
    spec = file.nodes["gain"]
    assert (spec.use, spec.inputs, spec.enabled) == ("dsp.gain", "input", True)
    assert (spec.device, spec.fallback, spec.dtype, spec.params) == ("cpu", None, "float32", {})


def test_a_file_cannot_be_changed():
    with pytest.raises(ValidationError, match="frozen"):
        pipeline().seed = 5


def test_what_is_dumped_reads_back():
    file = pipeline(block="62.5us", input={"rate": "16000/3"}, assets={"hubert": None})
    assert PipelineFile.model_validate(file.model_dump(by_alias=True)) == file


@pytest.mark.parametrize(
    ("keys", "place", "kind"),
    [
        ({"bloc": "10ms"}, ("bloc",), "extra_forbidden"),
        ({"version": 2}, ("version",), "literal_error"),
        ({"version": True}, ("version",), "value_error"),
        ({"version": 1.0}, ("version",), "value_error"),
        ({"block": "0ms"}, ("block",), "greater_than"),
        ({"block": "-1ms"}, ("block",), "greater_than"),
        ({"block": 10}, ("block",), "value_error"),
        ({"seed": -1}, ("seed",), "greater_than_equal"),
        ({"seed": "1"}, ("seed",), "int_type"),
        ({"seed": True}, ("seed",), "int_type"),
        ({"threads": 0}, ("threads",), "greater_than_equal"),
        ({"on_nan": "ignore"}, ("on_nan",), "literal_error"),
        ({"on_late": "replay"}, ("on_late",), "literal_error"),
        ({"input": {"rate": 0}}, ("input", "rate"), "value_error"),
        ({"input": {"channels": 0}}, ("input", "channels"), "greater_than_equal"),
        ({"input": {"channels": 65}}, ("input", "channels"), "less_than_equal"),
        ({"input": {"kanals": 1}}, ("input", "kanals"), "extra_forbidden"),
        ({"nodes": {}}, ("nodes",), "too_short"),
        ({"nodes": {"Gain": GAIN}}, ("nodes", "Gain", "[key]"), "string_pattern_mismatch"),
        ({"nodes": {"input": GAIN}}, ("nodes", "input", "[key]"), "value_error"),
        ({"output": "a.b.c"}, ("output",), "string_pattern_mismatch"),
        ({"vars": {"a": [1]}}, ("vars", "a"), "value_error"),
        ({"assets": {"a": ""}}, ("assets", "a"), "string_too_short"),
        ({"profiles": {"a": 1}}, ("profiles", "a"), "dict_type"),
    ],
)
def test_wrong_file_is_refused_at_one_place(keys, place, kind):
    assert refused(pipeline, **keys) == [(place, kind)]


@pytest.mark.parametrize(
    ("keys", "place", "kind"),
    [
        ({"use": "gain"}, ("use",), "string_pattern_mismatch"),
        ({"inputs": "input"}, ("inputs",), "extra_forbidden"),
        ({"in": 5}, ("in",), "inputs_type"),
        ({"in": {"audio": 5}}, ("in", "many", "audio"), "string_type"),
        ({"in": "a b"}, ("in", "one"), "string_pattern_mismatch"),
        ({"enabled": "off"}, ("enabled",), "value_error"),
        ({"enabled": "No"}, ("enabled",), "value_error"),
        ({"enabled": []}, ("enabled",), "value_error"),
        ({"device": "gpu"}, ("device",), "string_pattern_mismatch"),
        ({"device": "cuda:"}, ("device",), "string_pattern_mismatch"),
        ({"fallback": "cuda"}, ("fallback",), "literal_error"),
        ({"dtype": "float64"}, ("dtype",), "literal_error"),
        ({"params": []}, ("params",), "dict_type"),
        ({"db": -6}, ("db",), "extra_forbidden"),
    ],
)
def test_wrong_node_is_refused_at_one_place(keys, place, kind):
    assert refused(node, **keys) == [(("nodes", "gain", *place), kind)]


@pytest.mark.parametrize("source", ["input", "f0.voiced", {"audio": "a", "mask": "b.c"}, None])
def test_the_shapes_of_in(source):
    assert node(**{"in": source}).inputs == source


@pytest.mark.parametrize("value", [None, False, True, 0, 0.5, "", "voice.index"])
def test_enabled_keeps_its_value(value):
    enabled = node(enabled=value).enabled
    assert enabled == value
    assert type(enabled) is type(value)


@pytest.mark.parametrize("device", ["cpu", "cuda", "cuda:0", "cuda:12"])
def test_devices(device):
    assert node(device=device).device == device


@pytest.mark.parametrize("model", [PipelineFile, NodeSpec, InputSpec])
def test_fields_have_description_and_valid_example(model: type[BaseModel]):
    properties = model.model_json_schema()["properties"]
    for name, field in model.model_fields.items():
        assert field.description, name
        assert field.examples, name
        assert properties[field.alias or name]["description"] == field.description
        good = {"use": "dsp.gain"} if model is NodeSpec else {}
        good |= (
            {"block": "10ms", "nodes": {"a": GAIN}, "output": "a"} if model is PipelineFile else {}
        )
        for example in field.examples:
            model.model_validate({**good, field.alias or name: example})


def test_json_schema_agrees_with_model():
    schema = Draft202012Validator(PipelineFile.model_json_schema())
    schema.validate(pipeline(threads=2).model_dump(by_alias=True))
    good = {"block": "10ms", "nodes": {"a": GAIN}, "output": "a"}
    assert schema.is_valid(good)
    for wrong in ({"bloc": 1}, {"block": 10}, {"seed": -1}, {"nodes": {"a": {"in": "input"}}}):
        assert not schema.is_valid({**good, **wrong}), wrong
