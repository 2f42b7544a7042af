"""``voicegraph convert --encoder``: a voice or an index that says what it was trained on."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from voicegraph.graph.files.models import identify, open_archive
from voicegraph.nodes.content import hubert_example
from voicegraph.nodes.content.hubert_sizes import HubertSizes
from voicegraph.schemas.encoder_card import EncoderCard, TrainedCard
from voicegraph.schemas.model_report import ConvertReport, InspectReport

Cli = Callable[..., tuple[int, str, str]]
SIZES = HubertSizes((16,) * 7, (10, 3, 3, 3, 3, 2, 2), 32, 48, 9, 2, 16, 4, 256)
FILES = ("voice.pth", "added.index")


@pytest.fixture(autouse=True)
def _files(place: Path, write_models: Callable[..., None]) -> None:
    write_models(place)


def _encoder() -> EncoderCard:
    card = identify("hubert.safetensors").card
    assert isinstance(card, EncoderCard)
    return card


@pytest.mark.parametrize("file", FILES)
def test_card_names_the_given_encoder(cli: Cli, file: str) -> None:
    code, out, err = cli("convert", file, "b.safetensors", "--encoder", "hubert.safetensors")
    assert (code, err) == (0, "")
    assert _encoder().fingerprint in out
    assert "not stated" not in out
    card = identify("b.safetensors").card
    assert isinstance(card, TrainedCard)
    assert card.trained_on == _encoder().identity(9, True)


@pytest.mark.parametrize("file", FILES)
def test_tensors_stay_the_same(cli: Cli, file: str) -> None:
    assert cli("convert", file, "plain.safetensors")[0] == 0
    assert cli("convert", file, "b.safetensors", "--encoder", "hubert.safetensors")[0] == 0
    plain, made = open_archive("plain.safetensors"), open_archive("b.safetensors")
    assert plain.card is not None
    assert made.card is not None
    assert {**made.card, "trained_on": None} == plain.card
    one, other = plain.read(plain.tensors), made.read(made.tensors)
    assert one.keys() == other.keys()
    assert all(torch.equal(one[name], other[name]) for name in one)


@pytest.mark.parametrize("file", FILES)
def test_encoder_is_added_to_converted_file(cli: Cli, file: str) -> None:
    assert cli("convert", file, "plain.safetensors", "--title", "Mine")[0] == 0
    encoder = ("--encoder", "hubert.safetensors")
    assert cli("convert", "plain.safetensors", "b.safetensors", *encoder)[0] == 0
    card = identify("b.safetensors").card
    assert isinstance(card, TrainedCard)
    assert card.title == "Mine"
    assert card.trained_on is not None
    assert card.trained_on.fingerprint == _encoder().fingerprint


def test_inspect_reports_unstated_encoder(cli: Cli) -> None:
    _, out, _ = cli("inspect", *FILES, "hubert.safetensors")
    assert out.count("encoder not stated") == 2
    _, out, _ = cli("inspect", *FILES, "--json")
    found = InspectReport.model_validate_json(out).files
    assert [file.unstated for file in found] == [{"trained_on": "encoder not stated"}] * 2
    code, out, _ = cli(
        "convert", "voice.pth", "b.safetensors", "--encoder", "hubert.safetensors", "--json"
    )
    assert code == 0
    assert ConvertReport.model_validate_json(out).target.unstated == {}


@pytest.mark.parametrize(
    ("file", "encoder", "said"),
    [
        ("voice.pth", "plain.pth", "plain.pth: it is of kind voice, not a content encoder"),
        ("rmvpe.pt", "hubert.safetensors", "a file of kind pitch-model is trained on no encoder"),
        ("voice.pth", "none.pt", "none.pt: there is no such file"),
        ("voice.pth", "other.pt", "other.pt: a file of tensors, but of unknown kind"),
        ("wide.pth", "hubert.safetensors", "its features are of width 32 or 256, and not 768"),
    ],
)
def test_mismatched_encoder_is_refused(
    cli: Cli, place: Path, file: str, encoder: str, said: str
) -> None:
    from voicegraph.nodes.synth import rvc_example

    torch.save({"x": torch.ones(1)}, "other.pt")
    torch.save(rvc_example.voice(), "wide.pth")
    code, _, err = cli("convert", file, "b.safetensors", "--encoder", encoder)
    assert code == 3
    assert said in err
    assert not (place / "b.safetensors").exists()


def test_voice_with_encoder_refuses_another(cli: Cli) -> None:
    assert cli("convert", "voice.pth", "b.safetensors", "--encoder", "hubert.safetensors")[0] == 0
    hubert_example.write(Path("other.safetensors"), SIZES, seed=2)
    voice = ("--set", "vars.voice=b.safetensors")
    assert cli("check", "rvc", *voice, "--set", "assets.hubert=hubert.safetensors")[0] == 0
    other = ("--set", "assets.hubert=other.safetensors")
    code, out, _ = cli("check", "rvc", *voice, *other)
    assert code == 2
    fingerprint = _encoder().fingerprint
    assert f"--set assets.hubert=PATH   (the file of fingerprint {fingerprint}, hubert)" in out
    waived = ("--set", "nodes.voice.params.any_encoder=true")
    assert cli("check", "rvc", *voice, *other, *waived)[0] == 0
