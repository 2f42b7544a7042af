"""What remembering older frames does to a network that was trained on whole files.

Random weights cannot judge it: they make all frames alike. The Conformer of the package hama can.
Its features of the newest frames are compared with those of the whole file, on which voices are
trained: once as ``content.hubert_streaming`` computes them (keys, values and convolution inputs of
older frames are remembered), once as ``content.hubert`` does live (a window of 2.8 s).
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path

import pytest
import soundfile
import torch
from torch.nn import functional

from voicegraph.nodes.content.phonetic_network import PhoneticBlock, PhoneticNetwork
from voicegraph.training.common import hama

pytestmark = [
    pytest.mark.numeric,
    pytest.mark.skipif(
        importlib.util.find_spec("hama") is None,
        reason="needs the package hama of training/packages.txt",
    ),
]

RECORDING = Path(__file__).parents[3] / "pipelines/audio/librispeech-8088-284756-0000.flac"
STEP, AHEAD = 320, 160
"""Samples from frame to frame, and after the centre of the newest one."""
OVERLAP = 3
"""Frames before a block that are decoded with it: 60 ms."""
WINDOW = 140
PAST, AGAIN = 200, 12
"""Frames: the defaults of ``content.hubert_streaming``."""

Features = Callable[[int], torch.Tensor]


class Remembering:
    """The network's features block by block, with what settled frames left in each layer."""

    def __init__(self, network: PhoneticNetwork, audio: torch.Tensor) -> None:
        self.network, self.audio = network, audio
        frames, sizes = audio.shape[1] // STEP, network.sizes
        self.pairs = torch.zeros(sizes.blocks, frames, 2 * sizes.hidden)
        self.gated = torch.zeros(sizes.blocks, frames, sizes.hidden)

    def __call__(self, first: int, end: int) -> torch.Tensor:
        """Features of the live frames ``first`` to ``end``; earlier ones are remembered."""
        start = max(0, end - 200)
        mel = self.network.log_mel(self.audio[:, start * STEP : (end - 1) * STEP + AHEAD])
        stem = functional.gelu(self.network.stem(mel))[0].t()
        x = stem[first - start :]
        for number, block in enumerate(self.network.blocks):
            assert isinstance(block, PhoneticBlock)
            x = self._through(number, block, x, first, end)
        return x

    def _through(
        self, number: int, block: PhoneticBlock, x: torch.Tensor, first: int, end: int
    ) -> torch.Tensor:
        attention, convolution, hidden = block.attention, block.convolution, x.shape[1]
        x = x + 0.5 * block.before(x)
        query, own = attention.inputs(attention.norm(x)).split((hidden, 2 * hidden), 1)
        self.pairs[number, first:end] = own
        seen = self.pairs[number, max(0, first - PAST) : end]
        split = (attention.heads, hidden // attention.heads)
        query, key, value = (
            part.unflatten(1, split).transpose(0, 1)[None]
            for part in (query, *seen.split(hidden, 1))
        )
        y = functional.scaled_dot_product_attention(query, key, value)
        x = x + attention.output(y[0].transpose(0, 1).flatten(1))
        self.gated[number, first:end] = functional.glu(convolution.gate(convolution.norm(x)), -1)
        low = max(0, first - block.reach)
        before = convolution.depth.taps // 2
        sides = (0, 0, before, convolution.depth.taps - 1 - before)
        wide = functional.pad(self.gated[number, low:end], sides)
        y = convolution.depth(wide[None])[0][first - low :]
        x = x + convolution.output(functional.silu(y))
        return block.norm(x + 0.5 * block.after(x))


def _likeness(features: Features, whole: torch.Tensor, block: int) -> tuple[float, float]:
    """Mean cosine to the whole file's features, and SNR in dB with the mean over time taken off.

    Compared are the frames that are decoded after each block.
    """
    cosines, ratios = [], []
    for end in range((WINDOW // block + 1) * block, len(whole) - 30, block):
        first = end - block - OVERLAP
        found, expected = features(end)[-block - OVERLAP :], whole[first:end]
        cosines.append(functional.cosine_similarity(found, expected, dim=1).mean())
        centred = expected - expected.mean(0)
        error = (found - found.mean(0) - centred).square().sum()
        ratios.append(10 * (centred.square().sum() / error).log10())
    return float(torch.stack(cosines).mean()), float(torch.stack(ratios).mean())


@pytest.mark.parametrize("block", [12, 5], ids=["240 ms", "100 ms"])
@torch.inference_mode()
def test_newest_frames_are_not_farther_from_the_whole_file_than_a_window(block: int) -> None:
    network = hama.network()
    audio = torch.from_numpy(soundfile.read(RECORDING, dtype="float32")[0])[None]
    layer = network.sizes.blocks
    whole = network(audio, layer)[0]

    def window(end: int) -> torch.Tensor:
        heard = audio[:, (end - WINDOW) * STEP : (end - 1) * STEP + AHEAD]
        return network(heard, layer)[0]

    step = Remembering(network, audio)
    made = {
        end: step(max(0, end - block - AGAIN), end) for end in range(block, len(whole) - 30, block)
    }
    cosine, ratio = _likeness(made.__getitem__, whole, block)
    windows_cosine, windows_ratio = _likeness(window, whole, block)
    assert cosine >= windows_cosine
    assert ratio >= windows_ratio
