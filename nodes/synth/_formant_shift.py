"""Formant shift: decodes more or fewer frames, and resamples them to the original length.

Decoding longer and playing faster shifts all resonances up. F0 is shifted the other way before, so
that the pitch stays.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

import torch
from torch.nn import functional

_CROSSINGS = 6
"""Zero crossings of the sinc to either side."""
_ROLLOFF = 0.99
"""Cutoff as a share of the lower of both Nyquist frequencies."""
_STEPS_PER_SECOND = 100


@dataclass(frozen=True, slots=True)
class FormantShift:
    """The sizes of a window under a formant shift.

    Attributes:
        frames: frames of 10 ms that are decoded instead of ``count``.
        count: output frames.
        step: decoded samples for each output frame.
        frame: samples of a frame at the voice's rate.
    """

    frames: int
    count: int
    step: int
    frame: int

    @classmethod
    def of(cls, semitones: float, count: int, rate: int) -> FormantShift:
        """For a window of ``count`` frames at ``rate`` Hz; 0 semitones change nothing."""
        factor = 2.0 ** (semitones / 12.0)
        step = int(factor * rate // _STEPS_PER_SECOND)
        return cls(math.ceil(count * factor), count, step, rate // _STEPS_PER_SECOND)

    def restore_length(self, audio: torch.Tensor) -> torch.Tensor:
        """Resamples decoded audio to the output length.

        Args:
            audio: ``[streams, 1, frames * frame]``.

        Returns:
            ``[streams, 1, count * frame]``.
        """
        if self.step == self.frame:
            return audio[:, :, : self.count * self.frame]
        return resample(audio[:, :, : self.count * self.step], self.step, self.frame)


def resample(audio: torch.Tensor, old: int, new: int) -> torch.Tensor:
    """Resamples audio from rate ``old`` to ``new`` by a windowed sinc, with zero padding.

    J. O. Smith, "Digital audio resampling", ccrma.stanford.edu/~jos/resample, with a Hann window;
    the constants are those of RVC.

    Args:
        audio: ``[streams, 1, samples]`` float32.
        old: its rate, in any unit.
        new: the rate of the output.

    Returns:
        ``[streams, 1, ceil(samples * new / old)]``.
    """
    common = math.gcd(old, new)
    old, new = old // common, new // common
    kernel, width = _kernel(old, new, audio.device)
    padded = functional.pad(audio, (width, width + old))
    made = torch.conv1d(padded, kernel, stride=old).transpose(1, 2).flatten(1)
    return made[:, None, : -(-audio.shape[2] * new // old)]


@functools.lru_cache(maxsize=32)
def _kernel(old: int, new: int, device: torch.device) -> tuple[torch.Tensor, int]:
    """One filter for each of ``new`` phases, ``[new, 1, 2 width + old]``, and the width.

    In float32 throughout, as in RVC, so that rounding is the same.
    """
    cutoff = min(old, new) * _ROLLOFF
    width = math.ceil(_CROSSINGS * old / cutoff)
    with torch.inference_mode(False):  # the cached constant may be used outside of inference mode
        times = torch.arange(-width, width + old, dtype=torch.float32) / old
        phases = torch.arange(0, -new, -1, dtype=torch.float32)[:, None, None] / new
        t = ((phases + times) * cutoff).clamp(-_CROSSINGS, _CROSSINGS)
        window = torch.cos(t * math.pi / _CROSSINGS / 2) ** 2
        sinc = torch.where(t == 0, 1.0, torch.sin(t * math.pi) / (t * math.pi))
        return (sinc * window * (cutoff / old)).to(device), width
