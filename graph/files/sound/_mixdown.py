"""Finds mix-downs that lose sound: channels that cancel each other, or one that is silent."""

from __future__ import annotations

import math

import numpy as np

from .input_conversion import ConversionPlan

_LOSS_DB = 5.9
"""One silent channel of two costs 6.02 dB; two channels that share nothing, 3 dB."""
_INAUDIBLE_DB = 90.0
_SILENT = 1e-10
"""Power below which there is nothing to lose: -100 dB."""


class MixdownMeter:
    """Compares the mean of all channels with the loudest one, over a file.

    Args:
        channels: of the samples.
    """

    def __init__(self, channels: int) -> None:
        self._powers = np.zeros(channels)
        self._mix = 0.0

    def add(self, samples: np.ndarray) -> None:
        """Adds float ``[channels, samples]``."""
        clean = np.nan_to_num(samples.astype(np.float64), posinf=0.0, neginf=0.0)
        self._powers += np.square(clean).sum(1)
        self._mix += float(np.square(clean.mean(0)).sum())

    def loss(self) -> tuple[int, float] | None:
        """The loudest channel, from 1, and by how many dB the mix is quieter, if that is much."""
        loudest = int((self._powers > 0.98 * self._powers.max()).argmax())  # the first of equals
        power = float(self._powers[loudest])
        if power <= _SILENT:
            return None
        loss = math.inf if self._mix <= 0 else 10 * math.log10(power / self._mix)
        return (loudest + 1, loss) if loss > _LOSS_DB else None

    @property
    def channels(self) -> int:
        """Channels of the input."""
        return len(self._powers)

    @property
    def silent(self) -> int:
        """Channels that are 60 dB quieter than the loudest one."""
        return int((self._powers < 1e-6 * self._powers.max()).sum())


def mixing_node(conversion: ConversionPlan) -> str | None:
    """The node that averages the channels of the input; None if there is none."""
    for plan in conversion.plans:
        for node in plan.nodes:
            if node.use == "dsp.to_mono" and getattr(node.params, "channel", None) is None:
                return node.name if plan is conversion.plan else f"input.{node.name}"
    return None


def mixdown_note(meter: MixdownMeter, node: str | None) -> str | None:
    """What to tell about a mix-down, and what to type; None if it loses little.

    Args:
        meter: of the input.
        node: the node that mixes; one that the compiler inserted has a dot in its name.
    """
    found = meter.loss()
    if node is None or found is None:
        return None
    channel, loss = found
    why = f"{meter.silent} of them silent" if meter.silent else "they cancel each other"
    how = "is silence" if loss > _INAUDIBLE_DB else f"is {loss:.1f} dB quieter than"
    told = how if loss > _INAUDIBLE_DB else f"{how} channel {channel} alone"
    own = "" if "." in node else f", or --set nodes.{node}.params.channel={channel}"
    return (
        f"the mix of {meter.channels} channels {told} ({why}); to take the loudest one: "
        f"--input-select {channel}{own} (in a pipeline file: dsp.to_mono with channel: {channel})"
    )
