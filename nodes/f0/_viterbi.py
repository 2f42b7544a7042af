"""The most likely path of pitch through frames of salience."""

from __future__ import annotations

import torch
from torch import nn

REACH = 11
"""Largest step in bins from frame to frame, as in CREPE: the likelihood falls linearly to 0."""
_LEAST = 1e-9


def viterbi_path(salience: torch.Tensor) -> torch.Tensor:
    """The most likely path of bins, by the Viterbi algorithm.

    Args:
        salience: ``[streams, frames, bins]``, 0 or more; normalised to a sum of 1 in each
            frame, it is the likelihood.

    Returns:
        ``[streams, frames]`` int64.
    """
    seen = (salience / salience.sum(-1, keepdim=True).clamp(min=_LEAST)).clamp(min=_LEAST).log()
    offsets = torch.arange(-REACH, REACH + 1, device=salience.device)
    step = (REACH + 1 - offsets.abs()).to(seen.dtype)
    step = (step / step.sum()).log()
    score = seen[:, 0]
    came = []
    for frame in range(1, seen.shape[1]):
        around = nn.functional.pad(score, (REACH, REACH), value=-torch.inf)
        best = (around.unfold(1, len(offsets), 1) + step).max(-1)
        came.append(best.indices - REACH)
        score = best.values + seen[:, frame]
    path = [score.argmax(-1)]
    for moved in reversed(came):
        path.append(path[-1] + moved.gather(1, path[-1][:, None])[:, 0])
    return torch.stack(path[::-1], 1)
