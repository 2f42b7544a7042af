"""``f0.fcpe``: F0 by FCPE, fast and robust in noise; needs the extra ``fcpe``."""

from __future__ import annotations

from fractions import Fraction

import torch
from pydantic import Field
from torch import nn

from voicegraph.graph import ExportedNetwork, ExportedTensor, Tensors, register
from voicegraph.nodes.f0 import _fcpe_network as fcpe_network
from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0._estimator_packages import Package
from voicegraph.nodes.f0._example_voice import PITCH_TOLERANCE, example_voice
from voicegraph.nodes.f0._salience_estimator import SalienceEstimator, WideRangeParams
from voicegraph.nodes.f0.estimator import HOP
from voicegraph.nodes.f0.mel import FFT, LogMel
from voicegraph.nodes.layers.mel_filters import mel_filters

PACKAGE = Package("f0.fcpe", "fcpe", "torchfcpe", "torchfcpe", "assets/fcpe_c_v001.pt")
_POWER_FLOOR = 1e-9


class FcpeParams(WideRangeParams):
    """Params of ``f0.fcpe``."""

    threshold: float = Field(0.006, ge=0, le=1)
    """Salience that a frame must exceed to be voiced."""


@register("f0.fcpe")
class Fcpe(SalienceEstimator[FcpeParams]):
    """F0 by FCPE, convolutions over mel spectra.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``pitch`` and ``voiced`` ``[streams, frames]`` at
    100 Hz. As in RVC, unvoiced stretches of ``pitch`` are filled by default, and the search covers
    the whole range of the network, 32.7 to 1976 Hz.

    The extra ``fcpe`` installs the package torchfcpe. Only its weights are read. It is never
    imported, and neither are its dependencies such as torchaudio.

    Y. Luo et al., "FCPE: a fast context-based pitch estimation model", arXiv 2509.15140, 2025.
    """

    shortest = Fraction(100, 1000)
    package = PACKAGE
    examples = ({}, {"fill": False, "floor": 80.0, "ceiling": 400.0, "context": "200ms"})

    def load(self, params: FcpeParams, device: torch.device, dtype: torch.dtype) -> None:
        """Reads the network.

        Raises:
            VoicegraphError: if the package's file is not what it should be.
        """
        path = PACKAGE.check() / PACKAGE.weights
        self.network = self.network_of(
            fcpe_network.FcpeNetwork, path, device, dtype, fcpe_network.build
        )
        pad = (FFT - HOP) // 2
        bands = mel_filters(128, 0, 8000, htk=False, fft=FFT)
        self.mel = LogMel(bands, pad, _POWER_FLOOR).to(device)
        self.searched = salience_bins.bins_in_range(
            self.network.cents, params.floor, params.ceiling
        )

    def estimate_all(self, params: FcpeParams, audio: torch.Tensor) -> torch.Tensor:
        """F0 of all streams in Hz."""
        mel = self.mel(audio)
        mel = torch.cat((mel, mel[..., -1:]), -1)  # a frame every 10 ms, and one more
        salience = self.network(mel.to(self.dtype))
        return salience_bins.decode(salience * self.searched, self.network.cents, params.threshold)

    def exports(self, params: FcpeParams) -> ExportedNetwork:
        """The network and what reads F0 off its salience, with the names of deiteris' files."""
        network, searched, mel = self.network, self.searched, self.mel

        def reference(inputs: Tensors) -> Tensors:
            with torch.inference_mode():
                salience = network(inputs["mel"].transpose(1, 2)) * searched
                return {
                    "pitchf": salience_bins.decode_float32(
                        salience, network.cents, inputs["threshold"]
                    )
                }

        def example(case: int) -> dict[str, torch.Tensor]:
            with torch.no_grad():
                made = mel(example_voice(case)).transpose(1, 2).contiguous()
            return {"mel": made, "threshold": torch.tensor([params.threshold])}

        return ExportedNetwork(
            module=FcpePitch(network, searched),
            inputs={
                "mel": ExportedTensor((1, "frames", 128), description=_MEL),
                "threshold": ExportedTensor((1,), description="of the salience, such as 0.006"),
            },
            outputs={
                "pitchf": ExportedTensor((1, "frames"), description=_F0, tolerance=PITCH_TOLERANCE)
            },
            example=example,
            reference=reference,
        )


_MEL = "natural logarithms of mel magnitudes every 10 ms, 0 to 8 kHz, as f0.fcpe computes them"
_F0 = "F0 in Hz, 0 where unvoiced"


class FcpePitch(nn.Module):
    """Mel spectra to F0.

    Args:
        network: plain.
        searched: the bins of the search range, bool ``[bins]``.
    """

    def __init__(self, network: fcpe_network.FcpeNetwork, searched: torch.Tensor) -> None:
        super().__init__()
        self.network, self.searched = network, searched

    def forward(self, mel: torch.Tensor, threshold: torch.Tensor) -> torch.Tensor:
        """``[1, frames, 128]`` and ``[1]`` -> Hz ``[1, frames]``, 0 where unvoiced."""
        salience = self.network(mel.transpose(1, 2)) * self.searched
        return salience_bins.decode_float32(salience, self.network.cents, threshold)
