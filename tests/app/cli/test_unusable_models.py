"""What a user is told of models that no pipeline can use, and of what their files contradict."""

from __future__ import annotations

import json
import os
import stat
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from voicegraph.nodes.f0 import _rmvpe_example as rmvpe_example
from voicegraph.nodes.synth import rvc_example
from voicegraph.schemas.model_report import ConvertReport, InspectReport

Cli = Callable[..., tuple[int, str, str]]


def _voice(vocoder: str) -> None:
    torch.save(rvc_example.voice(vocoder=vocoder, sr="48k"), "voice.pth")


def _pitch_model(_: str) -> None:
    rmvpe_example.write(Path("voice.pth"))
    tensors = torch.load("voice.pth", weights_only=True)
    torch.save(tensors | {"fc.1.weight": torch.zeros(300, 8)}, "voice.pth")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (_voice, "it was trained with the vocoder RefineGAN; only HiFi-GAN"),
        (_pitch_model, "it has 128 mel bands and 300 bins, expected 128 and 360"),
    ],
)
def test_every_report_says_so(cli: Cli, make: Callable[[str], None], reason: str) -> None:
    make("RefineGAN")
    code, text, _ = cli("inspect", "voice.pth")
    assert code == 0
    rows = " ".join(text.split())
    assert f"unusable {reason}" in rows
    (file,) = InspectReport.model_validate_json(cli("inspect", "--json", "voice.pth")[1]).files
    assert file.card is not None
    assert file.card["unusable"].startswith(reason)
    code, text, _ = cli("convert", "voice.pth", "converted.safetensors")
    assert code == 0
    assert f"unusable {reason}" in " ".join(text.split())
    made = json.loads(cli("convert", "voice.pth", "again.safetensors", "--json")[1])
    target = ConvertReport.model_validate(made).target
    assert target.card is not None
    assert target.card["unusable"].startswith(reason)
    code, text, _ = cli("inspect", "converted.safetensors")
    assert f"unusable {reason}" in " ".join(text.split())


def test_nothing_is_said_of_usable_models(cli: Cli) -> None:
    torch.save(rvc_example.voice(), "voice.pth")
    text = cli("inspect", "voice.pth")[1]
    assert "unusable" not in text
    assert "remark" not in text


def test_remarks_have_a_row_each(cli: Cli) -> None:
    torch.save({**rvc_example.voice(sr="48k"), "f0": 0}, "voice.pth")
    for file in ("voice.pth", "converted.safetensors"):
        text = cli("inspect", file)[1]
        assert text.count("  remark  ") == 2
        assert "its sr is 48k, but its upsampling makes 160 samples" in " ".join(text.split())
        cli("convert", "voice.pth", "converted.safetensors")


def test_pipeline_refuses_an_unusable_voice_with_the_same_words(cli: Cli) -> None:
    _voice("RefineGAN")
    code, text, _ = cli("check", "rvc", "--set", "vars.voice=voice.pth")
    assert code != 0
    assert "it was trained with the vocoder RefineGAN; only HiFi-GAN" in text
    assert "fix: use a voice that was trained with HiFi-GAN" in text


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX file modes")
def test_converted_files_have_ordinary_modes(cli: Cli) -> None:
    torch.save(rvc_example.voice(), "voice.pth")
    before = os.umask(0o022)
    try:
        assert cli("convert", "voice.pth", "made.safetensors")[0] == 0
    finally:
        os.umask(before)
    assert stat.S_IMODE(Path("made.safetensors").stat().st_mode) == 0o644
