"""The RVC pipelines with an encoder that the voice, or the index, was not trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.files.models import identify
from voicegraph.graph.files.models.conversion import trained_with, write
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.signals import Origin
from voicegraph.nodes.content import hubert_example
from voicegraph.nodes.content.hubert_sizes import HubertSizes
from voicegraph.schemas.encoder_card import EncoderCard

SIZES = HubertSizes((16,) * 7, (10, 3, 3, 3, 3, 2, 2), 32, 48, 9, 2, 16, 4, 256)


def _converted(file: Path, encoder: Path, target: str) -> None:
    found = identify(file)
    assert found.kind is not None
    tensors, card = found.kind.convert(file, found.archive)
    write(tensors, trained_with(card, encoder, file), file.with_name(target), force=True)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]) -> Path:
    """Two encoders of one shape; a voice and an index that say which they were trained on."""
    folder = tmp_path_factory.mktemp("encoders")
    write_models(folder)
    hubert_example.write(folder / "other.safetensors", SIZES, seed=2)
    for file, name in {"voice.pth": "voice", "added.index": "index"}.items():
        for encoder in ("hubert", "other"):
            encoder_file = folder / f"{encoder}.safetensors"
            _converted(folder / file, encoder_file, f"{name}_of_{encoder}.safetensors")
    return folder


Compile = Callable[..., Plan]


@pytest.fixture(params=["rvc", "rvc-file"])
def compiled(request: pytest.FixtureRequest, files: Path) -> Compile:
    """``compiled(voice, index, encoder, **overrides)``, by file name."""

    def made(voice: str, index: str | None, encoder: str, **overrides: Any) -> Plan:
        given = {
            "vars.voice": str(files / voice),
            "vars.index": str(files / index) if index else None,
            "assets.hubert": str(files / encoder),
            **overrides,
        }
        return Pipeline.load(request.param, given).compile()

    return made


def _print(files: Path, name: str) -> str:
    card = identify(files / name).card
    assert isinstance(card, EncoderCard)
    return card.fingerprint


def _label(plan: Plan, name: str) -> Origin:
    origin = plan.find(name).node.input_types["content"].origin
    assert origin is not None
    return origin


def test_features_carry_their_encoder(compiled: Compile, files: Path) -> None:
    """Through retrieval and, in the pipeline for files, through protection."""
    plan = compiled("voice.pth", "added.index", "hubert.safetensors")
    origin = _label(plan, "voice")
    assert origin == _label(plan, "retrieval")
    assert origin.facts == {
        "family": "hubert-base",
        "fingerprint": _print(files, "hubert.safetensors"),
        "layer": 9,
        "projected": True,
    }
    assert origin.told_by == str(files / "hubert.safetensors")


def test_the_right_encoder(compiled: Compile) -> None:
    plan = compiled(
        "voice_of_hubert.safetensors", "index_of_hubert.safetensors", "hubert.safetensors"
    )
    assert "content encoder" not in plan.explain()


def test_files_that_do_not_say(compiled: Compile) -> None:
    """Most people's: nothing is claimed, and that is said."""
    page = " ".join(compiled("voice.pth", "added.index", "other.safetensors").explain().split())
    assert "content encoder not stated by voice.pth, so not compared; other.safetensors is" in page
    assert "content encoder not stated by added.index, so not compared" in page


@pytest.mark.parametrize(
    ("voice", "index", "node", "param", "file"),
    [
        ("voice_of_hubert.safetensors", None, "voice", "checkpoint", 0),
        ("voice_of_hubert.safetensors", "added.index", "voice", "checkpoint", 0),
        ("voice.pth", "index_of_hubert.safetensors", "retrieval", "index", 1),
    ],
)
def test_another_encoder_is_refused(
    compiled: Compile,
    files: Path,
    voice: str,
    index: str | None,
    node: str,
    param: str,
    file: int,
) -> None:
    with pytest.raises(PipelineError) as caught:
        compiled(voice, index, "other.safetensors")
    (problem,) = caught.value.problems
    text = str(problem)
    wanted, found = _print(files, "hubert.safetensors"), _print(files, "other.safetensors")
    assert problem.code == "another-origin"
    assert f"feeds {node}" in problem.message
    assert f"expected fingerprint {wanted}, found fingerprint {found}" in problem.message
    assert f"{files / 'other.safetensors'} is other (family hubert-base, fingerprint" in text
    named = str(files / str((voice, index)[file]))
    assert f"{named} goes with hubert (family hubert-base, fingerprint {wanted}" in text
    assert f"fix: assets.hubert: PATH   (the file of fingerprint {wanted}, hubert)" in text
    assert f"nodes.{node}.params.any_encoder: true" in text
    plan = compiled(voice, index, "other.safetensors", **{f"nodes.{node}.params.any_encoder": True})
    assert "takes any content encoder: " in " ".join(plan.explain().split())


def test_voice_and_index_of_different_encoders(compiled: Compile) -> None:
    with pytest.raises(PipelineError) as caught:
        compiled("voice_of_hubert.safetensors", "index_of_other.safetensors", "hubert.safetensors")
    (problem,) = caught.value.problems
    assert "retrieval" in problem.message


def test_another_layer_of_the_right_encoder(compiled: Compile) -> None:
    with pytest.raises(PipelineError) as caught:
        compiled(
            "voice_of_hubert.safetensors",
            None,
            "hubert.safetensors",
            **{"nodes.content.params.layer": 5},
        )
    (problem,) = caught.value.problems
    assert "expected layer 9, found layer 5" in problem.message
    assert problem.fix is not None
    assert problem.fix.startswith("nodes.content.params.layer: 9\nor, ")


def test_layer_must_match_the_voice_version(compiled: Compile) -> None:
    """Though the voice does not say which encoder it was trained on."""
    setting = {"nodes.content.params.layer": 8}
    with pytest.raises(PipelineError) as caught:
        compiled("voice.pth", None, "hubert.safetensors", **setting)
    (problem,) = caught.value.problems
    assert problem.code == "another-origin"
    assert "expected layer 9, found layer 8" in problem.message
    assert "voice.pth goes with layer 9, projected" in str(problem)
    assert str(problem.fix).startswith("nodes.content.params.layer: 9\nor, ")
    waived = {**setting, "nodes.voice.params.any_encoder": True}
    page = compiled("voice.pth", None, "hubert.safetensors", **waived).explain()
    assert "content encoder not stated by voice.pth" in " ".join(page.split())


def test_encoder_identity_is_independent_of_form(files: Path, compiled: Compile) -> None:
    """As a trainer's file, without a card, and in half the precision."""
    made = {n: t.half() for n, t in hubert_example.tensors(SIZES).items()}
    names = {
        "head.": "final_proj.",
        "projection": "post_extract_proj",
        "features_norm": "layer_norm",
        "norm.": "encoder.layer_norm.",
        "position.": "encoder.pos_conv.0.",
    }
    layers = {
        "attention_norm": "self_attn_layer_norm",
        "attention.query": "self_attn.q_proj",
        "attention.key": "self_attn.k_proj",
        "attention.value": "self_attn.v_proj",
        "attention.output": "self_attn.out_proj",
        "norm": "final_layer_norm",
        "up": "fc1",
        "down": "fc2",
    }

    def renamed(name: str) -> str:
        part, _, rest = name.partition(".")
        if part == "convs":
            number, _, tail = rest.partition(".")
            inner = "2." + tail[5:] if tail.startswith("norm.") else "0." + tail
            return f"feature_extractor.conv_layers.{number}.{inner}"
        if part == "layers":
            number, _, tail = rest.partition(".")
            own = next(k for k in layers if tail.startswith(k))
            return f"encoder.layers.{number}.{layers[own]}{tail.removeprefix(own)}"
        own = next(k for k in names if name.startswith(k))
        return names[own] + name.removeprefix(own)

    torch.save(
        {"args": None, "cfg": {"model": {"encoder_attention_heads": 2}}}
        | {"model": {renamed(n): t for n, t in made.items()}},
        files / "half.pt",
    )
    origin = _label(compiled("voice_of_hubert.safetensors", "added.index", "half.pt"), "voice")
    assert origin.facts["fingerprint"] == _print(files, "hubert.safetensors")
