"""Cards of ONNX files: what the graph shows, what metadata say, what is not known."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph.errors import WeightsError
from voicegraph.graph.files.models import identify
from voicegraph.graph.files.onnx_files import builder
from voicegraph.nodes.content._onnx_example import encoder
from voicegraph.nodes.synth._onnx_example import DEITERIS, PLAIN, RATE, WIDTH, WOKADA, Naming, voice
from voicegraph.schemas.encoder_card import Chosen
from voicegraph.schemas.onnx_card import OnnxCard


def _card(folder: Path, data: bytes) -> OnnxCard:
    path = folder / "file.onnx"
    path.write_bytes(data)
    found = identify(path)
    assert isinstance(found.card, OnnxCard)
    return found.card


def test_a_voice(tmp_path: Path) -> None:
    card = _card(tmp_path, voice(DEITERIS))
    assert (card.role, card.node, card.sample_rate, card.width) == (
        *("voice", "synth.onnx", RATE, WIDTH),
    )
    assert (card.f0, card.speakers, card.random, card.unrepeatable) == (True, 3, 2, ())
    assert card.inputs["skip_head"] == "int64 []"
    assert "deiteris" in card.headline
    assert not _card(tmp_path, voice(PLAIN)).f0


@pytest.mark.parametrize("version", ["2", "2.1", "2.2"])
def test_metadata_of_w_okada(tmp_path: Path, version: str) -> None:
    stated = {
        "version": version, "samplingRate": RATE, "f0": 1, "embChannels": 256,
        "embedder": "hubert_base", "embOutputLayer": 12, "useFinalProj": True,
    }  # fmt: skip
    card = _card(tmp_path, voice(Naming(width=256), stated))
    assert card.remarks == ()
    assert card.features == Chosen(12, True)
    assert card.encoder == "hubert_base"
    assert card.stated["embedder"] == "hubert_base"
    assert "except the name hubert_base" in card.unstated["trained_on"]


@pytest.mark.parametrize(
    ("stated", "remark"),
    [
        ({"samplingRate": 40000}, "sampling rate 40000; its decoder makes 16000"),
        ({"embChannels": 768}, "width of content 768; its input has 8"),
        ({"f0": False}, "state f0 False; it has an input for pitch"),
    ],
)
def test_metadata_that_the_graph_contradicts(
    tmp_path: Path, stated: dict[str, Any], remark: str
) -> None:
    card = _card(tmp_path, voice(WOKADA, stated))
    assert len(card.remarks) == 1
    assert remark in card.remarks[0]
    assert (card.sample_rate, card.width, card.f0) == (RATE, WIDTH, True)


@pytest.mark.parametrize("text", ["", "{", "[1]", '{"samplingRate": "fast"}', "[" * 3000])
def test_metadata_that_nobody_understands(tmp_path: Path, text: str) -> None:
    graph = builder.graph(
        [builder.operator("Identity", ["feats"], ["audio"])],
        [builder.value("feats", "float32", [1, "t", 256]), builder.value("p_len", "int64", [1])],
        [builder.value("audio", "float32", None)],
    )
    card = _card(tmp_path, builder.model(graph, {"metadata": text}))
    assert card.role == "voice"
    assert card.width == 256


def test_first_files_of_w_okada_have_no_metadata(tmp_path: Path) -> None:
    graph = builder.graph(
        [builder.operator("Identity", ["feats"], ["audio"])],
        [builder.value("feats", "float32", [1, "t", 256]), builder.value("p_len", "int64", [1])],
        [builder.value("audio", "float32", None)],
    )
    assert _card(tmp_path, builder.model(graph)).sample_rate == 48000


def test_an_encoder(tmp_path: Path) -> None:
    card = _card(tmp_path, encoder("audio", {"units9": 256, "unit12": 768}))
    assert card.widths == {"units9": 256, "unit12": 768}
    assert card.node == "content.onnx"


def test_a_network_of_an_unknown_kind_is_described(tmp_path: Path) -> None:
    graph = builder.graph(
        [builder.operator("Identity", ["image\x1b[2J"], ["y"])],
        [builder.value("image\x1b[2J", "float32", [1, 3, 9, 9])],
        [builder.value("y", "float32", None)],
    )
    card = _card(tmp_path, builder.model(graph, producer="evil\x1b]0;"))
    assert (card.role, card.node) == ("unknown", "")
    assert "\x1b" not in card.model_dump_json() + card.headline


def test_it_cannot_be_converted(tmp_path: Path) -> None:
    path = tmp_path / "voice.onnx"
    path.write_bytes(voice(PLAIN))
    found = identify(path)
    assert found.kind is not None
    with pytest.raises(WeightsError, match="a graph, which safetensors cannot hold"):
        found.kind.convert(path, None)
