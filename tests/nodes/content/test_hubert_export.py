"""The exported encoder: outputs by the names that programs ask for, right at any length."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from voicegraph.graph.export import export_network
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.nodes.content._hubert_export import NAMES, chosen_outputs
from voicegraph.nodes.content.hubert_example import SIZES, write
from voicegraph.schemas.encoder_card import V1, V2, Chosen

pytestmark = pytest.mark.numeric


def _plan(path: Path, **params: object) -> Plan:
    nodes = {"content": node("content.hubert", "input", weights=str(path), **params)}
    return Pipeline(block="200ms", input={"rate": 16000}, nodes=nodes, output="content").compile()


@pytest.mark.parametrize("form", ["torchscript", "onnx"])
def test_features_of_any_length_are_those_of_the_node(form: str, tmp_path: Path) -> None:
    if form == "onnx":
        pytest.importorskip("onnx")
    write(tmp_path / "encoder.safetensors")
    plan = _plan(tmp_path / "encoder.safetensors", layer=1, project=True)
    found = export_network(plan, "content", tmp_path / "content", form=form)
    assert [output.name for output in found.outputs] == ["content"]
    assert found.lengths[-1].sizes["samples"] > 256 * 320  # longer than a piece of the node


def test_a_whole_encoder_gives_what_programs_ask_for(tmp_path: Path) -> None:
    """w-okada's program asks for three outputs; RVC takes the first."""
    path = tmp_path / "encoder.safetensors"
    write(path, replace(SIZES, layers=12))
    found = export_network(
        _plan(path, layer=12, project=False), "content", tmp_path / "c.ts", form="torchscript"
    )
    assert [output.name for output in found.outputs] == ["unit12", "units9", "unit12s"]
    assert [output.axes[2] for output in found.outputs] == [32, 8, 8]


@pytest.mark.parametrize(
    ("layers", "projection", "chosen", "expected"),
    [
        (12, True, V1, {"units9": V1, "unit12": V2, "unit12s": Chosen(12, True)}),
        (12, True, Chosen(11, False), {"content": Chosen(11, False)}),
        (12, False, V2, {"content": V2}),
        (9, True, V1, {"content": V1}),
    ],
    ids=["first is the node's", "other layer", "no projection", "nine layers"],
)
def test_outputs_are_named_by_layer_and_projection(
    layers: int, projection: bool, chosen: Chosen, expected: dict[str, Chosen]
) -> None:
    found = chosen_outputs(layers, projection, chosen)
    assert found == expected
    assert next(iter(found.values())) == chosen
    assert len(NAMES) == 3


def test_float16_keeps_the_first_convolution(tmp_path: Path) -> None:
    """Its input has the level of the audio, which may be faint."""
    write(tmp_path / "encoder.safetensors")
    plan = _plan(tmp_path / "encoder.safetensors", layer=2)
    found = export_network(plan, "content", tmp_path / "c.ts", form="torchscript", dtype="float16")
    assert all(length.outputs[0].snr_db is not None for length in found.lengths)
    assert found.dtype == "float16"


def test_the_file_names_the_encoder(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")
    write(tmp_path / "encoder.safetensors")
    plan = _plan(tmp_path / "encoder.safetensors", layer=1)
    export_network(plan, "content", tmp_path / "c.onnx")
    stated = {entry.key: entry.value for entry in onnx.load(tmp_path / "c.onnx").metadata_props}
    assert json.loads(stated["voicegraph_model"])["kind"] == "content-encoder"
    card = json.loads(stated["voicegraph"])
    assert (card["use"], card["params"]["layer"]) == ("content.hubert", 1)
    assert card["params"]["weights"] == "encoder.safetensors"
    assert len(card["files"]["weights"]) == 64
