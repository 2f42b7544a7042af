"""F0 in Hz to the bins of a voice's pitch embedding (RVC's coarse pitch)."""

from __future__ import annotations

import functools
import math

import torch

_FLOOR, _CEILING = 50.0, 1100.0
_BINS = 255


def _mel(hertz: float) -> float:
    return 1127.0 * math.log1p(hertz / 700.0)


@functools.lru_cache(maxsize=8)
def _range(device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    """The lowest mel and the distance to the highest.

    As float64 tensors: the ONNX exporter rounds Python's numbers to float32.
    """
    low, high = _mel(_FLOOR), _mel(_CEILING)
    with torch.inference_mode(False):  # a cached constant may be used outside of inference mode
        made = (torch.tensor(n, dtype=torch.float64, device=device) for n in (low, high - low))
        return next(made), next(made)


def coarse_pitch(f0: torch.Tensor) -> torch.Tensor:
    """Bins int64 of F0 in Hz, any shape: 1..255, 1 where unvoiced (0 Hz).

    Frames that were never estimated (-0.0) are bin 0, as in RVC, whose cache of bins begins with
    zeros, until the window is full for the first time.

    Linear in mel (1127 ln(1 + f / 700)) from 50 Hz, bin 1, to 1100 Hz, bin 255; clipped, then
    rounded half to even. In float64, since float32 would round some values into the next bin.
    """
    mel = 1127.0 * torch.log1p(f0.double() / 700.0)
    low, width = _range(f0.device)
    scaled = (mel - low) * (_BINS - 1) / width + 1
    never = f0.reciprocal() == -math.inf  # the sign of a zero, in an operator that ONNX has
    return scaled.clamp(1, _BINS).round().long().masked_fill_(never, 0)
