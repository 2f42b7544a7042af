"""``dsp.to_mono``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import SAMPLES, assert_close

test_conformance = conformance.suite("dsp.to_mono")

RNG = np.random.default_rng(8)


def _session(channels: int, **params: Any):
    nodes = {"mono": node("dsp.to_mono", "input", **params)}
    wide = {"rate": 48000, "channels": channels}
    return Pipeline(block="10ms", input=wide, nodes=nodes, output="mono").session()


@pytest.mark.parametrize("channels", [2, 6])
def test_average_of_all_channels(channels: int) -> None:
    audio = RNG.standard_normal((channels, 480)).astype(np.float32)
    with _session(channels) as session:
        found = session.process(audio)
    assert found.shape == (1, 480)
    assert_close(found[0], audio.mean(0), SAMPLES)


def test_what_all_channels_carry_keeps_its_level_exactly() -> None:
    audio = RNG.standard_normal(480).astype(np.float32)
    with _session(2) as session:
        assert np.array_equal(session.process(np.stack([audio, audio]))[0], audio)


@pytest.mark.parametrize("channel", [1, 2, 3])
def test_one_channel_alone(channel: int) -> None:
    audio = RNG.standard_normal((3, 480)).astype(np.float32)
    with _session(3, channel=channel) as session:
        assert np.array_equal(session.process(audio)[0], audio[channel - 1])


def test_mono_passes() -> None:
    audio = RNG.standard_normal(480).astype(np.float32)
    with _session(1) as session:
        assert np.array_equal(session.process(audio), audio)


def test_channel_is_checked() -> None:
    with pytest.raises(PipelineError, match="channel is 3, but the input has channels 1 to 2"):
        _session(2, channel=3)
    with pytest.raises(PipelineError, match="channel is 2, but the input has channel 1 only"):
        _session(1, channel=2)
    with pytest.raises(PipelineError, match="expected at least 1"):
        _session(2, channel=0)
