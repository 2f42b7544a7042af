"""Counts of 20 ms frames, and features of whole utterances."""

from __future__ import annotations

from fractions import Fraction

import pytest
import torch

from voicegraph.nodes.content._phonetic_example import SIZES, tensors
from voicegraph.nodes.content.phonetic_frames import frames_covering, full_context_features
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork


@pytest.mark.parametrize("samples", [201, 319, 320, 6000])
def test_utterance_has_a_frame_every_320_samples(samples: int) -> None:
    network = PhoneticNetwork(SIZES).eval().requires_grad_(False)
    network.load_state_dict(tensors())
    audio = torch.randn(samples, generator=torch.Generator().manual_seed(5)) * 0.1
    found = full_context_features(network, audio, 1)
    assert found.shape == (samples // 320 + 1, SIZES.hidden)
    assert torch.equal(found, network(audio[None], 1)[0])


def test_covering_frames_are_rounded_up() -> None:
    times = [Fraction(ms, 1000) for ms in (0, 1, 20, 21, 2000)]
    assert [frames_covering(time) for time in times] == [0, 1, 1, 2, 100]
