"""``f0.fcpe``."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.graph import conformance
from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.nodes.f0 import fcpe

from ...tolerance import CENT, assert_close

pytestmark = [
    pytest.mark.skipif(
        importlib.util.find_spec("torchfcpe") is None,
        reason="needs pip install --no-deps torchfcpe",
    ),
    pytest.mark.numeric,
]

test_conformance = conformance.suite("f0.fcpe", slow=("growth",))

DATA = Path(__file__).parents[2] / "data" / "reference"
RATE = 16000


def _loaded(dtype: torch.dtype = torch.float32, **params) -> tuple[fcpe.Fcpe, fcpe.FcpeParams]:
    made = fcpe.Fcpe()
    made.dtype = dtype
    chosen = fcpe.FcpeParams(**params)
    made.load(chosen, torch.device("cpu"), dtype)
    return made, chosen


def _audio() -> torch.Tensor:
    return torch.from_numpy(np.load(DATA / "rmvpe.npz")["audio_16k"])[None]


def test_matches_the_package_s_own_code() -> None:
    """What torchfcpe 0.0.4 makes of a second of speech, by its local argmax above 0.006."""
    made, params = _loaded()
    with torch.inference_mode():
        found = made.estimate_all(params, _audio())[0].numpy()
    expected = np.load(DATA / "f0_networks.npz")["fcpe_f0"]
    assert (expected == 0).any()
    assert_close(found, expected, CENT)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_near(dtype: torch.dtype) -> None:
    exact, params = _loaded()
    rough, _ = _loaded(dtype)
    with torch.inference_mode():
        expected = exact.estimate_all(params, _audio())
        found = rough.estimate_all(params, _audio())
    both = (expected > 0) & (found > 0)
    assert both.float().mean() > 0.5
    assert (1200 * (found[both] / expected[both]).log2()).abs().median() < 10


def test_torchfcpe_is_never_imported() -> None:
    """It would need torchaudio."""
    import sys

    _loaded()
    assert "torchfcpe" not in sys.modules
    assert "torchaudio" not in sys.modules


def test_a_package_without_its_weights(tmp_path: Path, monkeypatch) -> None:
    (tmp_path / "torchfcpe").mkdir()
    (tmp_path / "torchfcpe" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    nodes = {"f0": node("f0.fcpe", "input")}
    keys = {"block": "100ms", "input": {"rate": RATE, "channels": 1}, "output": "f0"}
    with pytest.raises(PipelineError, match=r"reads assets/fcpe_c_v001\.pt .* which has none"):
        Pipeline(nodes=nodes, **keys).compile()
