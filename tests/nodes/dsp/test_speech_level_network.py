"""The network of ``dsp.speech_level``: what it sees when, and its file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from voicegraph.graph.errors import WeightsError
from voicegraph.graph.files.models import open_archive
from voicegraph.nodes.dsp import speech_level_network
from voicegraph.nodes.dsp.speech_level_network import (
    AHEAD,
    BANDS,
    WEIGHTS,
    WINDOW,
    Memory,
    SpeechLevelNetwork,
    build_speech_level,
    load_speech_level,
)

from ...tolerance import assert_close, decibels

ROUNDED = decibels(1e-3, "float32 products in other groups")
FRAMES = 60


def _levels(streams: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(3)
    bands = -40 + 12 * torch.randn(streams, FRAMES, BANDS, generator=draw)
    return bands, bands.amax(2) + 6


def _shares(bands: torch.Tensor, level: torch.Tensor) -> np.ndarray:
    with torch.inference_mode():
        return load_speech_level()(bands, level, Memory.empty(len(bands)))[0].numpy()


def test_a_share_is_no_gain() -> None:
    found = _shares(*_levels())
    assert found.shape == (2, FRAMES, len(AHEAD))
    assert (found <= 0).all()
    assert found.min() < -1


def test_the_past_alone_decides() -> None:
    """So that entry ``k``, the share of frame ``k - n``, knows ``n`` frames more."""
    bands, level = _levels()
    other_bands, other_level = bands.clone(), level.clone()
    other_bands[:, 40:], other_level[:, 40:] = -10.0, -5.0
    one, other = _shares(bands, level), _shares(other_bands, other_level)
    assert_close(other[:, :40], one[:, :40], ROUNDED)
    assert np.abs(other - one)[:, 40:].max() > 0.1


@pytest.mark.parametrize("parts", [(1, 59), (20, 20, 20), (7, 30, 23)])
def test_parts_are_the_whole(parts: tuple[int, ...]) -> None:
    bands, level = _levels()
    memory, made = Memory.empty(2), []
    with torch.inference_mode():
        for some, its in zip(bands.split(parts, 1), level.split(parts, 1), strict=True):
            share, memory = load_speech_level()(some, its, memory)
            made.append(share)
    assert_close(torch.cat(made, 1).numpy(), _shares(bands, level), ROUNDED)


def test_streams_do_not_touch_each_other() -> None:
    bands, level = _levels(3)
    assert_close(_shares(bands[1:2], level[1:2]), _shares(bands, level)[1:2], ROUNDED)


def test_bands_hold_the_power() -> None:
    """A tone is in the bands around it; twice the amplitude is 6 dB more."""
    network = SpeechLevelNetwork()
    tone = torch.sin(2 * torch.pi * 1000 * torch.arange(WINDOW) / 16000)
    once, twice = network.levels(tone[None, None]), network.levels(2 * tone[None, None])
    assert torch.sort(once[0, 0]).indices[-2:].diff().abs() == 1
    loud = once > once.max() - 40
    assert_close((twice - once)[loud].numpy(), np.full(int(loud.sum()), 6.0206), ROUNDED)


def test_a_damaged_file_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weights = load_file(WEIGHTS)
    weights["share.weight"] = weights["share.weight"][:, :-1].contiguous()
    save_file(weights, tmp_path / "damaged.safetensors")
    with pytest.raises(WeightsError, match=r"share\.weight"):
        build_speech_level(open_archive(tmp_path / "damaged.safetensors"))
    monkeypatch.setattr(speech_level_network, "WEIGHTS", tmp_path / "missing.safetensors")
    with pytest.raises(WeightsError, match="missing"):
        load_speech_level()
