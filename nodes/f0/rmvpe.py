"""``f0.rmvpe``: F0 by RMVPE, robust in noise and music; needs a file ``rmvpe.pt``."""

from __future__ import annotations

from pathlib import Path

import torch
from pydantic import Field

from voicegraph.graph import (
    ExportedNetwork,
    ExportedTensor,
    FilePath,
    Interval,
    PipelineError,
    Ports,
    Problem,
    Request,
    Tensors,
    register,
)
from voicegraph.graph.files.models import open_archive
from voicegraph.graph.files.models.wrong_kind import open_expected
from voicegraph.nodes.f0 import _rmvpe_example as rmvpe_example
from voicegraph.nodes.f0 import rmvpe_file, salience_bins
from voicegraph.nodes.f0._example_voice import PITCH_TOLERANCE, example_voice
from voicegraph.nodes.f0._rmvpe_export import PortableRmvpe
from voicegraph.nodes.f0._rmvpe_network import RmvpeNetwork
from voicegraph.nodes.f0._salience_estimator import SalienceEstimator, WideRangeParams
from voicegraph.nodes.f0._unet_span import unet_span
from voicegraph.nodes.f0.mel import FFT, LogMel
from voicegraph.nodes.layers.form import plain
from voicegraph.nodes.layers.mel_filters import mel_filters
from voicegraph.nodes.layers.network import into_form
from voicegraph.nodes.layers.onnx_file import use_instead


class RmvpeParams(WideRangeParams):
    """Params of ``f0.rmvpe``."""

    weights: FilePath | None = None
    """The network, such as `rmvpe.pt`; by default the asset `rmvpe`."""
    threshold: float = Field(0.03, ge=0, le=1)
    """Salience that a frame must exceed to be voiced."""


@register("f0.rmvpe")
class Rmvpe(SalienceEstimator[RmvpeParams]):
    """F0 by RMVPE, a U-Net over mel spectra.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``pitch`` and ``voiced`` ``[streams, frames]`` at
    100 Hz. As in RVC, unvoiced stretches of ``pitch`` are filled by default, and the search covers
    the whole range of the network, 31.7 to 2005 Hz.

    The analysed span is rounded up to 5120 n - 160 samples, and the output covers all of it. This
    gives 32 n frames; frame ``k`` is at sample ``160 k``. The last one, at the end of the span, is
    left out, since windows have no frame there. ``pitch.cache`` drops three more at the start, so
    it writes frames 3 .. 32 n - 2, the newest of them 10 ms before the end, as RVC does. A request
    of 5120 n samples is rounded to 5120 n - 160, too, if its core allows.

    H. Wei, X. Cao, T. Dan, Y. Chen, "RMVPE: a robust model for vocal pitch estimation in polyphonic
    music", Interspeech 2023.
    """

    examples = (
        {"weights": "rmvpe.pt"},
        {"weights": "rmvpe.pt", "context": "100ms", "fill": False, "floor": 80.0},
    )

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """A small network with random weights, for the conformance suite."""
        rmvpe_example.write(folder / "rmvpe.pt")

    def ports(self, params: RmvpeParams) -> Ports:
        """Reads the header of the weights.

        Raises:
            PipelineError: if no file is given.
            WeightsError: if it holds no RMVPE network.
        """
        if params.weights is None:
            text = "f0.rmvpe needs the weights of RMVPE, a file such as rmvpe.pt, and has none"
            raise PipelineError(Problem("missing-weights", text, fix="--set assets.rmvpe=PATH"))
        fix = use_instead(params.weights, self.name, "f0.onnx", rmvpe_file.FIX)
        rmvpe_file.sizes_of(open_expected(params.weights, rmvpe_file.NOUN, fix))
        return self.declared

    def gives(self, params: RmvpeParams, out: Request) -> Interval:
        """The analysed span without the context."""
        return unet_span(params.context, out)

    def load(self, params: RmvpeParams, device: torch.device, dtype: torch.dtype) -> None:
        """Reads the network.

        Raises:
            WeightsError: if the file is not what it should be.
        """
        assert params.weights is not None
        self.network = self.network_of(
            RmvpeNetwork, params.weights, device, dtype, rmvpe_file.build
        )
        bands = mel_filters(rmvpe_file.MELS, 30, 8000, htk=True, fft=FFT)
        self.mel = LogMel(bands, FFT // 2).to(device)
        self.cents = salience_bins.crepe_cents().to(device)
        self.searched = salience_bins.bins_in_range(self.cents, params.floor, params.ceiling)

    def estimate_all(self, params: RmvpeParams, audio: torch.Tensor) -> torch.Tensor:
        """F0 of all streams in Hz."""
        salience = self.network(self.mel(audio).to(self.dtype))
        return salience_bins.decode(salience * self.searched, self.cents, params.threshold)

    def exports(self, params: RmvpeParams) -> ExportedNetwork:
        """From audio to F0 and salience; the search range is that of ``params``."""
        assert params.weights is not None

        def reference(inputs: Tensors) -> Tensors:
            with torch.inference_mode():
                salience = self.network(self.mel(inputs["waveform"]))
                searched = salience * self.searched
                pitch = salience_bins.decode(searched, self.cents, float(inputs["threshold"]))
            return {"pitchf": pitch.float(), "salience": salience}

        def example(case: int) -> dict[str, torch.Tensor]:
            return {"waveform": example_voice(case), "threshold": torch.tensor([params.threshold])}

        archive = open_archive(params.weights)

        def in_dtype(dtype: torch.dtype) -> PortableRmvpe:
            network = into_form(rmvpe_file.build(archive), torch.device("cpu"), plain(dtype))
            # ONNX Runtime has no recurrent layers in float16, and its optimiser crashes on the
            # casts that it puts around one (microsoft/onnxruntime#28392).
            network.fc.float()
            return PortableRmvpe(network, self.mel, self.cents, self.searched)

        return ExportedNetwork(
            module=in_dtype(torch.float32),
            inputs={
                "waveform": ExportedTensor((1, "samples"), description="audio at 16 kHz"),
                "threshold": ExportedTensor(
                    (1,),
                    description="salience that a voiced frame exceeds",
                    default=torch.tensor([params.threshold]),
                ),
            },
            outputs={
                "pitchf": ExportedTensor(
                    (1, "frames"),
                    description="F0 in Hz every 10 ms, 0 where unvoiced",
                    tolerance=PITCH_TOLERANCE,
                    chosen=True,
                ),
                "salience": ExportedTensor(
                    (1, "frames", len(self.cents)),
                    description="of bins of pitch, from 31.7 Hz in steps of 20 cents",
                ),
            },
            example=example,
            reference=reference,
            reduced=in_dtype,
        )
