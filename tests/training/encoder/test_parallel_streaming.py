"""All steps of a stream at once."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch.nn import functional

from voicegraph.nodes.content import _phonetic_example as phonetic_example
from voicegraph.nodes.content.phonetic_network import STEP, PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import PhoneticStream
from voicegraph.training.encoder._parallel_streaming import StreamingSteps, features, frontend

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric


def _network() -> PhoneticNetwork:
    network = PhoneticNetwork(phonetic_example.SIZES).eval()
    network.load_state_dict(phonetic_example.tensors())
    return network.requires_grad_(False)


NETWORK = _network()
NOISE = 0.1 * torch.randn(40 * STEP, generator=torch.Generator().manual_seed(1))


def test_frontend_equals_the_network_stem() -> None:
    known, newest = frontend(NETWORK, NOISE[None], 1)
    for frame in (5, 20):
        heard = NOISE[None, : frame * STEP + STEP // 2]
        stem = functional.gelu(NETWORK.stem(NETWORK.log_mel(heard)))[0].T
        assert_close(newest[0, frame], stem[frame], SMALL_NETWORK)
        assert_close(known[0, 2:frame], stem[2:frame], SMALL_NETWORK)


def test_without_settled_frames_equals_the_network() -> None:
    known, newest = frontend(NETWORK, NOISE[None], 1)
    steps = StreamingSteps(settle=30, ahead=3, context=200, stride=1)
    found = features(NETWORK, NOISE[None], 2, steps)[0, :, 0]
    for frame in (10, 20, 30):
        x = torch.cat((known[:, :frame], newest[:, frame : frame + 1]), 1)
        for block in NETWORK.blocks[:2]:
            x = block(x, 0, frame + 1)
        assert_close(found[frame], x[0, frame - 3], SMALL_NETWORK)


@pytest.mark.parametrize(
    "steps", [StreamingSteps(6, 3, 8, 1), StreamingSteps(4, 4, 5, 1), StreamingSteps(10, 1, 200, 1)]
)
def test_stride_one_equals_the_stream(steps: StreamingSteps) -> None:
    stream = PhoneticStream(NETWORK, 3, steps.context, steps.settle, steps.ahead)
    found = features(NETWORK, NOISE[None], 3, steps)[0, steps.ahead :, 0]
    assert_close(found, stream.whole(NOISE)[: len(found)], SMALL_NETWORK)


def test_longer_strides_have_more_lookahead() -> None:
    steps = StreamingSteps(settle=30, ahead=3, context=200, stride=1)
    audio = functional.pad(NOISE, (4 * STEP, 0))[None]
    one = features(NETWORK, audio, 2, steps)[0, :, 0]
    four = features(NETWORK, audio, 2, replace(steps, stride=4))[0]
    assert_close(four[:7, 3], one[3:28:4], SMALL_NETWORK)
    assert not torch.allclose(four[3, 0], one[12])
