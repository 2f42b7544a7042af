"""Speech quality by DNSMOS, networks trained on the ratings of listeners."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

from ..common.third_party_packages import METRIC_PACKAGES, import_package

_LENGTH = int(9.01 * ENCODER_RATE) + 1


def dnsmos_scores(audio: np.ndarray) -> tuple[float, float]:
    """Overall (P.835) and P.808 scores, 1 to 5, of ``[samples]`` at 16 kHz.

    Clips shorter than the 9.01 s that the networks take are repeated to that length. The package
    itself would repeat them further, and average equal scores at five times the cost.
    """
    whole = np.resize(audio, max(len(audio), _LENGTH))
    found = _dnsmos()(np.clip(whole, -1, 1), ENCODER_RATE, is_personalized_MOS=False)
    return float(found["ovrl_mos"]), float(found["p808_mos"])


@functools.cache
def _dnsmos() -> Any:
    """The package's networks on one thread; by default each process would take all cores."""
    module = import_package("speechmos.dnsmos", METRIC_PACKAGES)
    runtime = import_package("onnxruntime", METRIC_PACKAGES)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    home = Path(module.__file__).parent / "dnsmos_models"
    primary, p808 = str(home / "sig_bak_ovr.onnx"), str(home / "model_v8.onnx")
    networks = module.DNSMOS(primary, p808)
    networks.onnx_sess = runtime.InferenceSession(primary, options)
    networks.p808_onnx_sess = runtime.InferenceSession(p808, options)
    return networks
