"""Sound of several lengths with which exported pitch estimators are traced and checked."""

from __future__ import annotations

import torch

from voicegraph.graph import random
from voicegraph.nodes.f0.estimator import RATE

PITCH_TOLERANCE = 0.01
"""Hz by which an exported estimator may differ: a tenth of a cent at 170 Hz."""
_SECONDS = (1.0, 0.41, 1.83, 3.27)


def example_voice(case: int) -> torch.Tensor:
    """A gliding harmonic sound with a pause and faint noise, ``[1, samples]`` at 16 kHz.

    Cases 0 to 3 differ in length and pitch.
    """
    count = round(_SECONDS[case] * RATE)
    time = torch.arange(count, dtype=torch.float64) / RATE
    phase = (110 + 37 * case) * (time + 0.1 * time.square())
    partials = ((2 * torch.pi * h * phase).sin() / h for h in range(1, 9))
    sound = 0.2 * torch.stack(list(partials)).sum(0).float()
    pause = (time > 0.4 * time[-1]) & (time < 0.6 * time[-1])
    noise = torch.from_numpy(random.normal(case, "voice", 0, 0, count)) * 0.003
    return (torch.where(pause, 0.0, sound) + noise)[None]
