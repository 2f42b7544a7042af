"""Exported networks as model files: the same network as the file that they were made of."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from voicegraph.graph.export import export_network
from voicegraph.graph.files.models import WeightsError, conversion, identify, open_archive
from voicegraph.graph.files.models.description import describe
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.nodes.content import hubert_example
from voicegraph.nodes.content._hubert_weights import build_hubert
from voicegraph.nodes.content.encoder_file import card_of, open_encoder
from voicegraph.nodes.f0 import _rmvpe_example as rmvpe_example
from voicegraph.nodes.f0 import rmvpe_file
from voicegraph.nodes.f0._rmvpe_network import Sizes
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth.voice_file import open_voice
from voicegraph.nodes.synth.voice_network import build_voice
from voicegraph.schemas.export_card import MODEL_KEY

SIZES = Sizes(blocks=1, layers=3, inner=1, channels=2, cnn_channels=1, hidden=4)
MADE_OF = {"voice": "voice.pth", "without pitch": "plain.pth", "content": "encoder.safetensors",
           "f0": "rmvpe.pt"}  # fmt: skip
Records = dict[str, bytes]


def _plan(folder: Path, name: str) -> Plan:
    """A pipeline with the node whose network is exported, under its name."""
    path = str(folder / MADE_OF[name])
    nodes: dict[str, Any] = {
        "content": node("content.hubert", "input", weights=path, layer=12, project=False),
        "f0": node("f0.rmvpe", "input", weights=path),
    }
    if name in nodes:
        return _compiled({name: nodes[name]}, name)
    width, pitched = (768, True) if name == "voice" else (256, False)
    params = {"checkpoint": path, "extra": "200ms"}
    taken = {port: port for port in ("content", "pitch")[: 1 + pitched]}
    vectors = {"use": "io.vectors", "params": {"rate": 100, "dim": width}}
    contour = {"use": "io.contour", "params": {"rate": 100}}
    voice = {"use": "synth.rvc", "in": taken, "params": params}
    return _compiled({"content": vectors, "pitch": contour, name.replace(" ", "_"): voice}, "")


def _compiled(nodes: dict[str, Any], output: str) -> Plan:
    if not output:
        voice = list(nodes)[-1]
        nodes["sola"], output = node("dsp.sola", voice), "sola"
    return Pipeline(block="100ms", input={"rate": 16000}, nodes=nodes, output=output).compile()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Model files, and what `export` makes of them as TorchScript."""
    made = tmp_path_factory.mktemp("models")
    rvc_example.write(made)
    hubert_example.write(made / "encoder.safetensors", replace(hubert_example.SIZES, layers=13))
    rmvpe_example.write(made / "rmvpe.pt", SIZES)
    for name in MADE_OF:
        plan = _plan(made, name)
        export_network(plan, name.replace(" ", "_"), made / f"{name}.ts", form="torchscript")
    return made


def _network(path: Path) -> nn.Module:
    """The plain network of a model file, as its node builds it."""
    match identify(path).card:
        case None:
            raise AssertionError(path)
        case card if card.kind == "voice":
            return build_voice(open_voice(path))
        case card if card.kind == "content-encoder":
            return build_hubert(open_encoder(path), 12, True)
        case _:
            return rmvpe_file.build(open_archive(path))


def _same(one: nn.Module, other: nn.Module) -> bool:
    first, second = one.state_dict(), other.state_dict()
    assert first.keys() == second.keys()
    return all(torch.equal(first[name], second[name]) for name in first)


@pytest.mark.parametrize("name", MADE_OF)
def test_an_export_has_the_bits_of_its_model(name: str, folder: Path) -> None:
    assert _same(_network(folder / f"{name}.ts"), _network(folder / MADE_OF[name]))


@pytest.mark.parametrize("name", MADE_OF)
def test_its_card_is_that_of_the_model(name: str, folder: Path) -> None:
    """Without remarks; an exported encoder has the layers that its outputs need."""
    exported, model = (identify(folder / file).card for file in (f"{name}.ts", MADE_OF[name]))
    assert exported is not None
    assert model is not None
    assert exported.remarks == ()
    assert exported.kind == model.kind
    if name == "content":
        one, other = (
            card_of(open_encoder(folder / f"{name}.ts")),
            card_of(open_encoder(folder / MADE_OF[name])),
        )
        assert (one.fingerprint, one.layers) == (other.fingerprint, 12)
    elif name != "f0":  # its card is derived from the tensors, of which some are folded
        assert exported == model


@pytest.mark.parametrize("name", MADE_OF)
def test_it_can_be_converted(name: str, folder: Path, tmp_path: Path) -> None:
    found = identify(folder / f"{name}.ts")
    kind = conversion.check_source(found)
    tensors, card = kind.convert(found.path, found.archive)
    conversion.write(tensors, card, tmp_path / "made.safetensors", force=False)
    assert _same(_network(tmp_path / "made.safetensors"), _network(folder / MADE_OF[name]))


@pytest.mark.slow
@pytest.mark.parametrize("name", MADE_OF)
def test_a_program_of_torch_export_has_the_bits_of_its_model(
    name: str, folder: Path, tmp_path: Path
) -> None:
    target = tmp_path / "made.pt2"
    export_network(_plan(folder, name), name.replace(" ", "_"), target, form="pt2")
    assert _same(_network(target), _network(folder / MADE_OF[name]))


def test_half_precision_is_read_as_the_values_in_it(folder: Path, tmp_path: Path) -> None:
    plan, target = _plan(folder, "voice"), tmp_path / "half.ts"
    export_network(plan, "voice", target, form="torchscript", dtype="float16")
    found, exact = (_network(path).state_dict() for path in (target, folder / "voice.pth"))
    name = "enc_p.emb_phone.weight"
    assert found[name].dtype == torch.float32
    assert torch.equal(found[name], exact[name].half().float())


def _altered(path: Path, target: Path, change: Callable[[Records], object]) -> Path:
    """The same archive after a change of its records, whose names are without the first folder."""
    with zipfile.ZipFile(path) as file:
        held = {name.partition("/")[2]: file.read(name) for name in file.namelist()}
    change(held)
    with zipfile.ZipFile(target, "w") as file:
        for name, data in held.items():
            file.writestr(f"archive/{name}", data)
    return target


def _with(key: str, **fields: object) -> Callable[[Records], object]:
    """Changes fields of a card, or of the config in it."""

    def change(records: Records) -> None:
        card: dict[str, Any] = json.loads(records[f"extra/{key}"])
        for name, value in fields.items():
            inner: Mapping[str, Any] = card.get("config", {})
            (card if name not in inner else card["config"])[name] = value
        records[f"extra/{key}"] = json.dumps(card).encode()

    return change


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("voice", lambda held: held.pop(f"extra/{MODEL_KEY}"), "lacks the card of its voice"),
        ("content", lambda held: held.pop(f"extra/{MODEL_KEY}"), "lacks the card of its encoder"),
        ("voice", _with("voicegraph", use="f0.rmvpe"), "the exported network of f0.rmvpe"),
        ("voice", _with("voicegraph", use="synth.other"), "the exported network of synth.other"),
        ("f0", _with("voicegraph", use="synth.rvc"), "lacks the card of its voice"),
        ("content", _with("voicegraph", use="f0.rmvpe"), "is expected"),
        ("voice", _with(MODEL_KEY, upsample_rates=[10, 4, 2]), "samples per frame"),
        ("voice", _with(MODEL_KEY, resblock_dilation_sizes=[[1], [1]]), "are not those of an RVC"),
        ("voice", _with(MODEL_KEY, gin_channels=1 << 40), "card is not understood"),
        ("content", _with(MODEL_KEY, heads=7), "cannot be split into 7 attention heads"),
        ("voice", lambda held: held.pop("data/0"), "the values of storage '0' are missing"),
        ("content", lambda held: held.update({"data/0": b""}), "should have"),
    ],
)  # fmt: skip
def test_an_altered_export_is_refused(
    name: str, change: Callable[[Records], object], said: str, folder: Path, tmp_path: Path
) -> None:
    path = _altered(folder / f"{name}.ts", tmp_path / "altered.ts", change)
    opened = {"voice": open_voice, "content": open_encoder}.get(name, open_voice)
    with pytest.raises(WeightsError) as caught:
        opened(path)
    assert said in str(caught.value)


def test_an_altered_tensor_is_another_network(folder: Path, tmp_path: Path) -> None:
    """What is read are the weights in the file, not the numbers that its program would use."""

    def change(records: Records) -> None:
        data = bytearray(records["data/0"])
        data[0] ^= 1
        records["data/0"] = bytes(data)

    path = _altered(folder / "voice.ts", tmp_path / "altered.ts", change)
    assert not _same(_network(path), _network(folder / "voice.pth"))


def test_the_network_of_a_streaming_node_is_named(folder: Path, tmp_path: Path) -> None:
    """It is no voice, encoder or pitch model, whatever its card of the model says."""
    path = _altered(
        folder / "voice.ts", tmp_path / "a.ts", _with("voicegraph", use="synth.rvc_streaming")
    )
    found = identify(path)
    assert found.kind is None
    assert describe(found).description == "the exported network of synth.rvc_streaming"
