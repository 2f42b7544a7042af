"""``dsp.to_stereo``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

test_conformance = conformance.suite("dsp.to_stereo")

RNG = np.random.default_rng(9)


def _session(given: int, **params: Any):
    nodes = {"wide": node("dsp.to_stereo", "input", **params)}
    source = {"rate": 48000, "channels": given}
    return Pipeline(block="10ms", input=source, nodes=nodes, output="wide").session()


@pytest.mark.parametrize("channels", [1, 2, 5])
def test_mono_is_copied_to_all_channels(channels: int) -> None:
    audio = RNG.standard_normal((1, 480)).astype(np.float32)
    with _session(1, channels=channels) as session:
        found = session.process(audio)
    assert np.array_equal(found, np.repeat(audio, channels, 0))


def test_stereo_passes_bit_for_bit() -> None:
    audio = RNG.standard_normal((2, 480)).astype(np.float32)
    with _session(2) as session:
        assert np.array_equal(session.process(audio), audio)


def test_other_channel_counts_are_refused() -> None:
    with pytest.raises(
        PipelineError, match=r"2 channels of 1, but the input has 6: put dsp\.to_mono"
    ):
        _session(6)
    with pytest.raises(PipelineError, match="expected at least 1"):
        _session(1, channels=0)
