"""Smooths a live param: an exponential glide in closed form, the same in blocks of any size.

``value[n] = target + (value[0] - target) * a^n`` with a time constant of 5 ms: long enough to avoid
clicks, short enough to seem immediate.
"""

from __future__ import annotations

import math

import torch

TIME_CONSTANT_S = 0.005
_SETTLED = 1e-7
"""Relative distance to the target (below the float32 resolution) at which the glide ends."""


def db_to_linear(db: float) -> float:
    """Amplitude factor of a level in dB."""
    return 10.0 ** (db / 20.0)


def at_rest(value: torch.Tensor, target: float) -> bool:
    """Whether every stream's ``value`` ``[streams]`` is ``target`` already.

    Always False on a GPU, where reading the value would synchronise with the host.
    """
    return value.device.type == "cpu" and value.tolist() == [target] * len(value)


def decay(rate: float) -> float:
    """The factor ``a`` by which the distance to the target decreases at each sample."""
    return math.exp(-1.0 / (TIME_CONSTANT_S * rate))


def glide(value: torch.Tensor, target: float, rate: float, count: int) -> torch.Tensor:
    """Moves ``value`` towards ``target`` over ``count`` samples at ``rate``.

    Args:
        value: float64 ``[streams]``, in force after the newest sample; changed in place.
        target: the value that it approaches.
        rate: samples a second, in Hz.
        count: number of samples.

    Returns:
        float64 ``[streams, count]``, the value at each sample.
    """
    if at_rest(value, target):
        return value[:, None].expand(-1, count).clone()
    steps = torch.arange(1, count + 1, dtype=torch.float64, device=value.device)
    left = torch.exp(steps * (-1.0 / (TIME_CONSTANT_S * rate)))
    path = target + (value - target)[:, None] * left
    settled = (path[:, -1] - target).abs() < _SETTLED * max(abs(target), math.ulp(1.0))
    value.copy_(torch.where(settled, target, path[:, -1]))
    return path


def scale(audio: torch.Tensor, gain: torch.Tensor, db: float, rate: float) -> torch.Tensor:
    """Audio times a gain that glides to ``db``; the same tensor if the gain is constantly 1.

    Args:
        audio: ``[streams, channels, samples]``.
        gain: float64 ``[streams]``, the factor in force after the newest sample; changed in place.
        db: the gain that it approaches, in dB.
        rate: of the audio, in Hz.
    """
    target = db_to_linear(db)
    if at_rest(gain, target):
        return audio if target == 1.0 else audio * target
    path = glide(gain, target, rate, audio.shape[2])
    return audio * path[:, None].to(audio.dtype)
