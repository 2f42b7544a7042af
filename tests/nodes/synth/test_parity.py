"""The reference's numbers, at full size, through files as people have them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.nodes.layers.network import form_for
from voicegraph.nodes.synth.network import VoiceNetwork, Window
from voicegraph.nodes.synth.voice_network import load_voice

from ...tolerance import INAUDIBLE, assert_close, assert_rounded

REFERENCE = Path(__file__).resolve().parents[2] / "data" / "reference"
VOICES = ("synth_v1_40k_f0", "synth_v1_40k_nof0", "synth_v2_32k_f0", "synth_v2_40k_nof0")
WEIGHTS_IN_A_ROW = 100
"""Six layers of the encoder, four of the flow, four stages of the decoder, and what each holds."""
OTHER_PROCESSORS = ("synth_v1_40k_nof0", "synth_v2_48k_f0")
"""With and without pitch, of either version: all layers that there are, without AVX half a minute
each."""
SILENT = {"noise_scale": 0.0, "source_noise": 0.0}

Keys = Callable[[str], dict[str, Any]]


@pytest.fixture
def write(tmp_path: Path, keys: Keys, filled: Callable[..., dict[str, torch.Tensor]]) -> Any:
    """A voice file of full size; tensors that no voice needs are left out of it."""

    def written(name: str, dtype: torch.dtype = torch.float32) -> Path:
        held = keys(name)
        shapes = {n: s for n, s in held["weight"].items() if not n.startswith("enc_q.")}
        held["weight"] = {n: x.to(dtype) for n, x in filled(shapes).items()}
        torch.save(held, tmp_path / f"{name}.pth")
        return tmp_path / f"{name}.pth"

    return written


def _check_against_reference(name: str, file: Path, drive: Any) -> None:
    expected = np.load(REFERENCE / f"{name}.npz")
    content = torch.from_numpy(expected["phone"])[None]
    pitch = torch.from_numpy(expected["pitchf"])[None]
    skip, count = int(expected["skip_head"]), int(expected["return_length"])
    after = content.shape[1] - skip - count
    speaker = int(expected["sid"])

    window = drive(file, count, after, extra=f"{10 * skip}ms", speaker=speaker, **SILENT)
    found = window(content, pitch)[0].numpy()
    assert_close(found, expected["window"], INAUDIBLE)

    whole = drive(file, content.shape[1], extra=0, speaker=speaker, **SILENT)
    found = whole(content, pitch)[0].numpy()
    assert_close(found, expected["full"], INAUDIBLE)

    form = form_for(VoiceNetwork, torch.device("cpu"), torch.float32)
    voice = load_voice(file, torch.device("cpu"), form)
    wave = bins = None
    if voice.card.f0:
        wave = voice.network.source(pitch[:, skip : skip + count])
        bins = torch.from_numpy(expected["pitch"])[None]
    with torch.inference_mode():
        frames = int(expected["formant_length"])
        made = voice.network(content, bins, wave, speaker, Window(skip, count), frames=frames)
    found = made[0, 0].numpy()
    assert_close(found, expected["window_formant"], INAUDIBLE)


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=[pytest.mark.numeric] if name in OTHER_PROCESSORS else [])
        for name in (*VOICES, "synth_v2_48k_f0")
    ],
)
def test_it_sounds_as_in_the_reference(name: str, write: Any, drive: Any) -> None:
    _check_against_reference(name, write(name), drive)


def test_a_voice_in_half_precision_is_close(write: Any, drive: Any) -> None:
    """Most voices are stored so; the weights are what differs, not the arithmetic."""
    name = "synth_v1_40k_f0"
    expected = np.load(REFERENCE / f"{name}.npz")
    content, pitch = (torch.from_numpy(expected[key])[None] for key in ("phone", "pitchf"))
    file = write(name, torch.float16)
    window = drive(file, 30, 10, extra="400ms", speaker=int(expected["sid"]), **SILENT)
    found = window(content, pitch)[0].numpy()
    assert not np.array_equal(found, expected["window"])
    assert_rounded(found, expected["window"], torch.float16, WEIGHTS_IN_A_ROW)
