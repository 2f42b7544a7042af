"""One block of ``dsp.speech_level``: from samples to the level of the speech in them."""

from __future__ import annotations

from fractions import Fraction

import torch

from voicegraph.nodes.dsp.hann_power import HannPower
from voicegraph.nodes.dsp.speech_level_network import (
    AHEAD,
    HOP,
    RATE,
    WINDOW,
    Memory,
    SpeechLevelNetwork,
)

FLOOR_DB = -120.0
"""Digital silence."""
_TINY = 1e-12


class SpeechLevelBlock:
    """Measures the frames of a block, and asks the network for the share of speech in them.

    Args:
        network: plain, or portable.
        first: sample at which the first frame begins.
        count: frames of a block.
        ahead: frames that the network hears after each: one of :data:`AHEAD`.
    """

    def __init__(self, network: SpeechLevelNetwork, first: int, count: int, ahead: int) -> None:
        self.network, self.count, self.ahead = network, count, ahead
        self._power = HannPower(first, count + ahead, Fraction(RATE), RATE // HOP)
        begins = first + (ahead + torch.arange(count)) * HOP
        self._heard = begins[:, None] + torch.arange(WINDOW)

    def __call__(self, audio: torch.Tensor, memory: Memory) -> tuple[torch.Tensor, Memory]:
        """The next block.

        Args:
            audio: ``[streams, 1, samples]``.
            memory: from the blocks before.

        Returns:
            Level of the speech in dB ``[streams, count, 1]``, and what is remembered.
        """
        samples = audio[:, 0]
        level = 10 * torch.log10(self._power(samples) + _TINY)
        bands = self.network.levels(samples[:, self._heard])
        share, memory = self.network(bands, level[:, self.ahead :], memory)
        made = level[:, : self.count].float() + share[:, :, AHEAD.index(self.ahead)]
        return made.clamp_min(FLOOR_DB)[:, :, None], memory
