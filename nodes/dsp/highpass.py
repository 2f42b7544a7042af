"""``dsp.highpass``: removes rumble and DC offset."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Hertz,
    In,
    Node,
    NodeParams,
    Out,
    SignalType,
    State,
    Tensors,
    register,
)

_FLOOR = 1e-30
"""Filter memory below this is set to 0. It would otherwise decay to denormal numbers, with which
processors compute a hundred times slower."""


@dataclass
class HighpassState(State):
    """``memory`` ``[streams, channels, sections, 2]`` float64: delay elements of each section."""

    memory: torch.Tensor


class HighpassParams(NodeParams):
    """Params of ``dsp.highpass``."""

    cutoff: Hertz = Field(48.0, gt=0)
    """Frequency in Hz at which the attenuation is 3 dB; below half of the input's rate."""
    order: int = Field(5, ge=1, le=12)
    """Order of the filter."""


@register("dsp.highpass")
class Highpass(Node[HighpassParams, HighpassState]):
    """Butterworth high-pass, causal: audio ``[streams, channels, samples]`` -> the same type.

    A cascade of second-order sections (transposed direct form II) in float64, which keeps its
    precision at low cutoff frequencies. The response is -3 dB at ``cutoff``, and falls below it by
    6 dB an octave for each order.

    Source: S. Butterworth, "On the theory of filter amplifiers", Wireless Engineer 7, 1930;
        discretised
    by the bilinear transform. The default order and cutoff are those of RVC's offline conversion,
    which filters forwards and backwards, and therefore needs the whole signal.
    """

    releases_gil = True
    examples = ({}, {"cutoff": 300.0, "order": 2})

    audio = In(Audio)
    out = Out(Audio, like="audio")

    _sections: np.ndarray = np.zeros((0, 6))

    def infer(
        self, params: HighpassParams, inputs: Mapping[str, SignalType]
    ) -> dict[str, SignalType]:
        """The input's type.

        Raises:
            ValueError: if the cutoff is not below half of the rate.
        """
        limit = float(inputs["audio"].rate / 2)
        if params.cutoff >= limit:
            raise ValueError(
                f"cutoff is {params.cutoff:g} Hz, but must be below half of the input's rate, "
                f"{limit:g} Hz"
            )
        return {"out": inputs["audio"]}

    def load(self, params: HighpassParams, device: torch.device, dtype: torch.dtype) -> None:
        """Designs the filter."""
        from scipy.signal import butter, sosfilt

        rate = float(self.input_types["audio"].rate)
        sections = butter(params.order, params.cutoff, "highpass", fs=rate, output="sos")
        self._sections = np.asarray(sections)
        self._filter = sosfilt

    def state(self, params: HighpassParams, streams: int) -> HighpassState:
        """Silence."""
        channels = self.input_types["audio"].width or 1
        shape = (streams, channels, (params.order + 1) // 2, 2)
        return HighpassState(torch.zeros(shape, dtype=torch.float64))

    def process(self, inputs: Tensors, params: HighpassParams, state: HighpassState) -> Tensors:
        """One block."""
        audio = inputs["audio"].numpy().astype(np.float64)
        memory = state.memory.permute(2, 0, 1, 3).numpy()
        made, memory = self._filter(self._sections, audio, zi=memory)
        memory[np.abs(memory) < _FLOOR] = 0.0
        state.memory.copy_(torch.from_numpy(memory).permute(1, 2, 0, 3))
        return {"out": torch.from_numpy(made.astype(np.float32))}
