"""``pipelines/rvc.yaml`` at all sizes and settings, against RVC's real-time loop spelled out.

The loop below is the reference's in its own terms: sample counts in steps of 10 ms, a cache of 1024
frames, everything shifted by hand. It shares the networks with the nodes, whose numbers have tests
of their own; what it checks is which samples and frames reach them, and what becomes of the sound.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.signal import medfilt

from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._formant_shift import resample
from voicegraph.nodes.synth.network import Window
from voicegraph.nodes.synth.pitch_bins import coarse_pitch
from voicegraph.nodes.world import world_library

from ..tolerance import assert_close, below_full_scale

pytestmark = pytest.mark.numeric

MASKED = below_full_scale(80)
"""The voice masks it. Near a stored vector, retrieval makes more of a rounding than sums do."""

RATE = 16000
RATES = [10, 10, 4], [16, 16, 8]
CONFIG = [*rvc_example.CONFIG[:12], RATES[0], 16, RATES[1], 3, 6, 40000]
ODD = [*rvc_example.CONFIG[:12], [7, 7, 3, 3], 16, [14, 14, 6, 6], 3, 6, 44100]
"""A voice of 44.1 kHz, as Applio makes them: no rate is even."""


@dataclass(frozen=True)
class Case:
    """Sizes in steps of 10 ms, and settings."""

    block: int
    crossfade: int
    extra: int
    index_rate: float = 0.0
    transpose: float = 0.0
    formant: float = 0.0
    speaker: int = 0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]) -> Path:
    made = tmp_path_factory.mktemp("sizes")
    write_models(made, CONFIG)
    for name, f0 in {"odd": True, "odd plain": False}.items():
        torch.save(rvc_example.voice(ODD, "v1", f0), made / f"{name}.pth")
    return made


def _audio(blocks: int, block: int) -> np.ndarray:
    time = np.arange(blocks * block * 160) / RATE
    phase = 2 * np.pi * np.cumsum(150 * (1 + 0.3 * np.sin(4 * time))) / RATE
    voice = sum(np.sin(k * phase) / k for k in range(1, 9)) * (np.sin(7 * time) > -0.6)
    noise = np.random.default_rng(1).normal(0, 0.002, time.size)
    return (0.1 * voice + noise).astype(np.float32)


def _plan(folder: Path, case: Case, voice: str) -> Any:
    overrides = {
        "block": f"{10 * case.block}ms",
        "input.rate": RATE,
        "vars.voice": str(folder / f"{voice}.pth"),
        "assets.hubert": str(folder / "hubert.safetensors"),
        "vars.index": str(folder / "added.index") if case.index_rate else None,
        "vars.index_rate": case.index_rate,
        "vars.extra": f"{10 * case.extra}ms",
        "vars.crossfade": f"{10 * case.crossfade}ms",
        "vars.transpose": case.transpose,
        "vars.formant": case.formant,
        "vars.speaker": case.speaker,
        "vars.noise_scale": 0,
        "vars.source_noise": 0,
    }
    return Pipeline.load("rvc", overrides).compile()


class Loop:
    """RVC's real-time loop."""

    def __init__(self, plan: Any, case: Case, index: Path, sr: int) -> None:
        self.case, self.sr, self.zc = case, sr, sr // 100
        self.encoder = plan.find("content").node.network
        self.voice = plan.find("voice").node._voice
        self.index = faiss.read_index(str(index))
        self.stored = self.index.reconstruct_n(0, self.index.ntotal)
        self.buffer_steps = min(case.crossfade, 4)
        self.heard = np.zeros(160 * (case.extra + case.crossfade + 1 + case.block), np.float32)
        self.bins = np.zeros(1024, np.int64)
        self.hertz = np.zeros(1024)
        self.tail = np.zeros(self.buffer_steps * self.zc)

    def step(self, block: np.ndarray) -> np.ndarray:
        self.heard = np.concatenate((self.heard[len(block) :], block))
        return self._overlap(self._infer())

    def _infer(self) -> np.ndarray:
        case = self.case
        frames = len(self.heard) // 160
        content = self.encoder(torch.from_numpy(self.heard)[None])
        content = torch.cat((content, content[:, -1:]), 1)
        if case.index_rate:
            content[0, case.extra // 2 :] = self._retrieve(content[0, case.extra // 2 :])
        content = content.repeat_interleave(2, 1)[:, :frames]
        count = case.block + self.buffer_steps + 1
        factor = 2.0 ** (case.formant / 12)
        moved = math.ceil(count * factor)
        bins = wave = None
        if self.voice.card.f0:
            self._track()
            hertz = torch.tensor(self.hertz[-frames:] * moved / count, dtype=torch.float32)[None]
            bins = torch.from_numpy(self.bins[-frames:])[None]
            wave = self.voice.network.source(hertz[:, case.extra : case.extra + count])
        window = Window(case.extra, count)
        sound = self.voice.network(content, bins, wave, case.speaker, window, None, moved)
        step = int(factor * self.sr // 100)
        if step != self.zc:
            sound = resample(sound[:, :, : count * step], step, self.zc)
        return sound[0, 0].numpy().astype(np.float64)

    def _retrieve(self, features: torch.Tensor) -> torch.Tensor:
        queries = features.numpy()
        distance, found = self.index.search(np.ascontiguousarray(queries), 8)
        weight = np.square(1 / distance.astype(np.float64))
        weight /= weight.sum(1, keepdims=True)
        taken = (self.stored[found] * weight[:, :, None]).sum(1)
        rate = self.case.index_rate
        return torch.from_numpy((rate * taken + (1 - rate) * queries).astype(np.float32))

    def _track(self) -> None:
        size = 160 * self.case.block + 800
        heard = self.heard[-size:].astype(np.float64)
        f0 = medfilt(world_library.harvest(heard, RATE, 50.0, 1100.0, 10.0), 3)
        f0 = f0 * 2 ** ((self.case.transpose - self.case.formant) / 12)
        shift = self.case.block
        for cache, new in (
            (self.bins, coarse_pitch(torch.from_numpy(f0)).numpy()),
            (self.hertz, f0),
        ):
            cache[:-shift] = cache[shift:].copy()
            cache[4 - len(new) :] = new[3:-1]

    def _overlap(self, sound: np.ndarray) -> np.ndarray:
        buffer, block = len(self.tail), self.case.block * self.zc
        head = sound[: buffer + self.zc]
        near = np.lib.stride_tricks.sliding_window_view(head, buffer)
        offset = int(np.argmax(near @ self.tail / np.sqrt((near**2).sum(1) + 1e-8)))
        cut = sound[offset:].copy()
        fade = np.sin(0.5 * np.pi * np.linspace(0, 1, buffer)) ** 2
        cut[:buffer] = cut[:buffer] * fade + self.tail * (1 - fade)
        self.tail = cut[block : block + buffer]
        return cut[:block]


def _compare(folder: Path, case: Case, voice: str = "voice", blocks: int = 6) -> None:
    plan = _plan(folder, case, voice)
    audio = _audio(blocks, case.block).reshape(blocks, -1)
    with plan.session(warm_up=False) as session, torch.inference_mode():
        found = np.stack([session.process(block) for block in audio])
        loop = Loop(plan, case, folder / "added.index", int(plan.output_type.rate))
        expected = np.stack([loop.step(block) for block in audio])
    assert np.abs(expected).max() > 1e-3
    assert_close(found, expected, MASKED)


@pytest.mark.parametrize(
    ("case", "voice"),
    [
        (Case(25, 5, 100, 0.5), "voice"),  # as the recorded chain
        (Case(16, 4, 70), "voice"),
        (Case(10, 15, 33, 0.75, 5.0), "voice"),
        (Case(7, 3, 20, 1.0, -3.5, 4.0, 2), "voice"),
        (Case(31, 1, 5, 0.0, 12.0, -6.3, 1), "voice"),
        (Case(13, 8, 50, 0.3, 0.0, 2.1), "plain"),
        (Case(25, 5, 100, 0.5), "odd"),
        (Case(7, 3, 20, 1.0, -3.5, 4.0, 2), "odd"),
        (Case(13, 8, 50, 0.3, 0.0, 2.1), "odd plain"),
    ],
    ids=str,
)
def test_sizes_and_settings(folder: Path, case: Case, voice: str) -> None:
    _compare(folder, case, voice)


@settings(max_examples=7, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    case=st.builds(
        Case,
        block=st.integers(5, 40),
        crossfade=st.integers(1, 20),
        extra=st.integers(5, 90),
        index_rate=st.sampled_from([0.0, 0.5, 1.0]),
        transpose=st.sampled_from([0.0, -7.0, 3.3, 12.0]),
        formant=st.sampled_from([0.0, 0.01, 3.0, -4.4, 12.0]),
        speaker=st.integers(0, 2),
    )
)
def test_any_sizes_and_settings(folder: Path, case: Case) -> None:
    _compare(folder, case, blocks=4)
