"""The offline response of a pipeline to the test signal."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.app.diagnostics._probe_signal import probe_signal as signal_at
from voicegraph.app.diagnostics._reference_response import reference_response
from voicegraph.graph.pipeline import Pipeline, node

from ...tolerance import INAUDIBLE, assert_close

RATE = 16000


@pytest.mark.parametrize("use", ["dsp.gain", "dsp.limiter"])
def test_response_is_aligned_with_the_signal(use: str) -> None:
    nodes = {"end": node(use, "input")}
    pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="end")
    signal = signal_at(RATE)
    response = reference_response(pipeline.compile(), signal, RATE)
    assert response.shape == signal.shape
    assert_close(response, signal, INAUDIBLE)


def test_response_has_the_requested_rate() -> None:
    nodes = {"half": node("dsp.resample", "input", rate=8000)}
    pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="half")
    signal = signal_at(RATE)
    response = reference_response(pipeline.compile(), signal, RATE)
    assert len(response) == pytest.approx(len(signal), abs=2)
    count = min(len(response), len(signal))
    likeness = np.corrcoef(response[:count], signal[:count])[0, 1]
    assert likeness > 0.97
