"""The exported RMVPE as other programs know it, and in half precision."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.export import export_network
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.nodes.f0 import _rmvpe_example as rmvpe_example
from voicegraph.nodes.f0._rmvpe_network import Sizes

pytestmark = pytest.mark.numeric

SIZES = Sizes(blocks=1, layers=3, inner=1, channels=2, cnn_channels=1, hidden=4)


def _plan(folder: Path, **params: Any) -> Plan:
    rmvpe_example.write(folder / "rmvpe.pt", SIZES)
    nodes = {"f0": node("f0.rmvpe", "input", weights=str(folder / "rmvpe.pt"), **params)}
    return Pipeline(block="100ms", input={"rate": 16000}, nodes=nodes, output="f0").compile()


def test_a_program_that_knows_w_okadas_names_runs_it(tmp_path: Path) -> None:
    """It gives the waveform and a threshold, and asks for `pitchf`."""
    pytest.importorskip("onnx")
    import onnxruntime

    export_network(_plan(tmp_path, floor=100.0), "f0", tmp_path / "f0.onnx")
    session = onnxruntime.InferenceSession(tmp_path / "f0.onnx")
    sound = np.random.default_rng(1).normal(size=(1, 12345)).astype(np.float32)

    def pitch(threshold: float) -> np.ndarray:
        given = {"waveform": sound, "threshold": np.array([threshold], np.float32)}
        return np.asarray(session.run(["pitchf"], given)[0])

    assert pitch(0.0).shape == (1, 12345 // 160 + 1)
    assert pitch(0.0).min() >= 95  # of the search range; neighbours of the lowest bin count, too
    assert not pitch(1.0).any()


@pytest.mark.parametrize("form", ["torchscript", "onnx"])
def test_float16_is_near(form: str, tmp_path: Path) -> None:
    if form == "onnx":
        pytest.importorskip("onnx")
    found = export_network(_plan(tmp_path), "f0", tmp_path / "f0", form=form, dtype="float16")
    salience = found.lengths[0].outputs[1]
    assert salience.snr_db is not None
    assert salience.snr_db > 30
