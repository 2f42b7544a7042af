"""How good it sounds, by DNSMOS: networks that were taught what listeners say."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.training.voice.augmentation import LISTENING

from ..common.third_party_packages import TO_LISTEN, package

_LENGTH = int(9.01 * LISTENING) + 1


def opinion(audio: np.ndarray) -> tuple[float, float]:
    """Overall (P.835) and P.808 scores, 1 to 5, of ``[samples]`` at 16 kHz.

    Clips shorter than the 9.01 s that the networks take are repeated to that length. The package
    alone would repeat them beyond it and hear the same again and again, at five times the cost.
    """
    whole = np.resize(audio, max(len(audio), _LENGTH))
    found = _judge()(np.clip(whole, -1, 1), LISTENING, is_personalized_MOS=False)
    return float(found["ovrl_mos"]), float(found["p808_mos"])


@functools.cache
def _judge() -> Any:
    """The package's own, but on one thread: it would take all cores, for each process."""
    module = package("speechmos.dnsmos", TO_LISTEN)
    runtime = package("onnxruntime", TO_LISTEN)
    options = runtime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    home = Path(module.__file__).parent / "dnsmos_models"
    primary, p808 = str(home / "sig_bak_ovr.onnx"), str(home / "model_v8.onnx")
    judge = module.DNSMOS(primary, p808)
    judge.onnx_sess = runtime.InferenceSession(primary, options)
    judge.p808_onnx_sess = runtime.InferenceSession(p808, options)
    return judge
