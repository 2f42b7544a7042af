"""``f0.fcpe``: F0 by FCPE, fast and robust in noise; needs the extra ``fcpe``."""

from __future__ import annotations

from fractions import Fraction

import torch
from pydantic import Field

from voicegraph.graph import register
from voicegraph.nodes.f0 import _fcpe_network as fcpe_network
from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0._estimator_packages import Package
from voicegraph.nodes.f0._salience_estimator import SalienceEstimator, WideRangeParams
from voicegraph.nodes.f0.estimator import HOP
from voicegraph.nodes.f0.mel import FFT, LogMel, filters

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
        self.mel = LogMel(filters(128, 0, 8000, htk=False), pad, _POWER_FLOOR).to(device)
        self.searched = salience_bins.bins_in_range(
            self.network.cents, params.floor, params.ceiling
        )

    def estimate_all(self, params: FcpeParams, audio: torch.Tensor) -> torch.Tensor:
        """F0 of all streams in Hz."""
        mel = self.mel(audio)
        mel = torch.cat((mel, mel[..., -1:]), -1)  # a frame every 10 ms, and one more
        salience = self.network(mel.to(self.dtype))
        return salience_bins.decode(salience * self.searched, self.network.cents, params.threshold)
