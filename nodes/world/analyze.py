"""``world.analyze``: spectral envelope and aperiodicity by WORLD."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Features,
    Hertz,
    In,
    Interval,
    Node,
    NodeParams,
    Out,
    Pitch,
    Request,
    Requests,
    SignalType,
    Tensors,
    format_rate,
    register,
)
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames
from voicegraph.nodes.world import world_library

_D4C_PERIODS = 2
"""D4C uses two periods on either side of a frame,"""
_D4C_FLOOR_HZ = 47.0
"""at least of this F0. CheapTrick uses 1.5 periods."""


class AnalyzeParams(NodeParams):
    """Params of ``world.analyze``."""

    floor: Hertz = Field(71.0, ge=40, le=200)
    """Lowest F0 in Hz: the FFT holds three periods of it, so lower values need a larger FFT. Lower
    pitches are analysed as if they were there. Use the same value in ``world.synthesize``."""


@register("world.analyze")
class Analyze(Node[AnalyzeParams, None]):
    """Spectral envelope and aperiodicity of a voice, by WORLD.

    audio ``[streams, 1, samples]`` and pitch in Hz ``[streams, frames]``, 0 where unvoiced ->
    windows of features ``[streams, frames, bins]`` at the pitch's rate: ``envelope``, the natural
    logarithm of the power spectrum (so that silence, 1e-17, stays exact in float32), and
    ``aperiodicity``, the share of noise in the amplitude, 0..1. Bin ``k`` of ``fft / 2 + 1`` lies
    at ``k rate / fft`` Hz; the FFT size is the power of two that holds three periods of ``floor``.

    The pitch must be that of the audio, not transposed. The node requests 43 ms of audio before the
    first frame, as much as WORLD uses. After the newest frame WORLD repeats the last sample. More
    look-ahead was measured to make no difference after ``dsp.sola``, which takes the newest part of
    each window from the next one.

    Sources: M. Morise, "CheapTrick, a spectral envelope estimator for high-quality speech
    synthesis", Speech Communication 67, 2015; M. Morise, "D4C, a band-aperiodicity estimator for
    high-quality speech synthesis", Speech Communication 84, 2016.
    """

    chunking = "windowed"
    pure = True
    releases_gil = True
    examples = ({}, {"floor": 100.0})

    audio = In(Audio, channels=1)
    pitch = In(Pitch, doc="F0 of the audio in Hz, 0 where unvoiced")
    envelope = Out(Features, window=True, doc="natural logarithm of the power spectrum")
    aperiodicity = Out(Features, window=True, doc="share of noise in the amplitude, 0..1")

    def infer(
        self, params: AnalyzeParams, inputs: Mapping[str, SignalType]
    ) -> dict[str, SignalType]:
        """As many bins as the audio's rate and ``floor`` require.

        Raises:
            ValueError: if the audio's rate is no whole number of Hz.
        """
        rate = inputs["audio"].rate
        if rate.denominator > 1:
            raise ValueError(f"WORLD takes audio at whole rates, not at {format_rate(rate)}")
        bins = world_library.fft_size(rate, params.floor) // 2 + 1
        return dict.fromkeys(("envelope", "aperiodicity"), Features(inputs["pitch"].rate, bins))

    def needs(self, params: AnalyzeParams, out: Request) -> Requests:
        """The requested frames, and the audio that WORLD uses around them."""
        span = Request(self.gives(params, out), out.core)
        margin = _D4C_PERIODS / Fraction(_D4C_FLOOR_HZ)
        return {"pitch": span, "audio": span.widen(before=margin)}

    def gives(self, params: AnalyzeParams, out: Request) -> Interval:
        """The span, extended to whole frames."""
        return extend_to_whole_frames(out.interval, self.input_types["pitch"].rate)

    def prepare(self, params: AnalyzeParams) -> None:
        """Computes the times of the frames, and the FFT size."""
        asked, audio = self.asked["envelope"], self.given["audio"]
        self._first = self.given["pitch"].index(asked.interval.start)
        offset = asked.interval.start - audio.interval.start
        self._times = float(offset) + np.arange(asked.count) / float(asked.rate)
        self._rate = int(audio.rate)
        self._size = world_library.fft_size(self._rate, params.floor)

    def process(self, inputs: Tensors, params: AnalyzeParams, state: None) -> Tensors:
        """One tick: the whole window of each stream."""
        asked, rate, size, times = self.asked["envelope"], self._rate, self._size, self._times
        shape = asked.shape(len(inputs["audio"]))
        envelope, aperiodicity = np.empty(shape, np.float32), np.empty(shape, np.float32)
        samples = inputs["audio"][:, 0].double().contiguous().numpy()
        pitch = inputs["pitch"].narrow(1, self._first, asked.count).double().contiguous().numpy()
        # Creaky voice may be lower than the FFT resolves. WORLD would treat it as unvoiced, with a
        # window so short that single pulses show in the envelope.
        lowest = world_library.lowest_f0(rate, size) * (1 + 1e-6)
        for row, (stream, f0) in enumerate(zip(samples, pitch, strict=True)):
            held = np.where(f0 > 0, np.maximum(f0, lowest), 0.0)
            envelope[row] = np.log(world_library.envelope(stream, held, times, rate, size))
            aperiodicity[row] = world_library.aperiodicity(stream, f0, times, rate, size)
        return {
            "envelope": torch.from_numpy(envelope),
            "aperiodicity": torch.from_numpy(aperiodicity),
        }
