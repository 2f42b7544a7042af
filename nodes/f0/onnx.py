"""``f0.onnx``: F0 by a pitch model in an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from pydantic import Field
from torch.nn import functional

from voicegraph.graph import (
    FilePath,
    Interval,
    PipelineError,
    Ports,
    Problem,
    Request,
    SignalType,
    register,
)
from voicegraph.graph.files.models import WeightsError
from voicegraph.graph.files.onnx_files.signatures import MELS, PitchSignature
from voicegraph.nodes.f0 import _onnx_example as onnx_example
from voicegraph.nodes.f0 import salience_bins
from voicegraph.nodes.f0._salience_estimator import WideRangeParams
from voicegraph.nodes.f0._unet_span import UNET_FRAMES, unet_span
from voicegraph.nodes.f0.estimator import HOP, RATE, F0Estimator
from voicegraph.nodes.f0.mel import FFT, LogMel
from voicegraph.nodes.layers.mel_filters import mel_filters
from voicegraph.nodes.layers.onnx_file import OnnxFile, open_onnx, own_random_numbers
from voicegraph.nodes.layers.onnx_session import check_runtime, load_network

_THRESHOLDS = {"frames": 0.006}
_THRESHOLD = 0.03
"""Of RMVPE; FCPE, which takes frames of mel spectra, has a lower one."""
_POWER_FLOOR = 1e-9
"""Of FCPE's spectra."""


class OnnxPitchParams(WideRangeParams):
    """Params of ``f0.onnx``."""

    weights: FilePath | None = None
    """The pitch model, an ONNX file such as `rmvpe.onnx` or `fcpe.onnx`; by default the asset
    `rmvpe`."""
    threshold: float | None = Field(None, ge=0, le=1)
    """Salience that a frame must exceed to be voiced. By default .006 for FCPE, else .03."""


@register("f0.onnx")
class OnnxPitch(F0Estimator[OnnxPitchParams]):
    """F0 by a pitch model in an ONNX file: RMVPE or FCPE as other programs have them.

    audio ``[streams, 1, samples]`` at 16 kHz -> ``pitch`` and ``voiced`` ``[streams, frames]`` at
    100 Hz. As in RVC, unvoiced stretches of ``pitch`` are filled by default.

    The file is run by ONNX Runtime (the extra ``onnx``) with the pipeline's threads, on the
    provider of ``device``, one stream after the other. It takes audio, or a mel spectrum as RMVPE
    or as FCPE has it, which the node computes; it gives salience over 360 bins, or F0 in Hz. From
    salience, ``floor`` and ``ceiling`` limit the search, as in ``f0.rmvpe``; a file that gives F0
    has searched already, and frames outside of them become unvoiced.

    The analysed span of RMVPE is 32 n frames less 10 ms, as in ``f0.rmvpe``.
    """

    asset = "rmvpe"
    devices = ("cpu", "cuda")
    releases_gil = True
    examples = onnx_example.EXAMPLES

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """Small networks with random weights, with the signatures of several programs."""
        onnx_example.write(folder)

    def ports(self, params: OnnxPitchParams) -> Ports:
        """Reads the header of the file.

        Raises:
            PipelineError: if no file is given.
            WeightsError: if it is no pitch model, or no runtime should see it.
        """
        self._open(params)
        return self.declared

    def infer(
        self, params: OnnxPitchParams, inputs: Mapping[str, SignalType]
    ) -> dict[str, SignalType]:
        """Fixed types.

        Raises:
            ValueError: if no pitch bin lies between floor and ceiling.
        """
        salience_bins.bins_in_range(salience_bins.crepe_cents(), params.floor, params.ceiling)
        return super().infer(params, inputs)

    def unrepeatable(self, params: OnnxPitchParams) -> tuple[str, ...]:
        """Random operators that are left inside."""
        return own_random_numbers(self._open(params)[0].header)

    def gives(self, params: OnnxPitchParams, out: Request) -> Interval:
        """The analysed span without the context."""
        if self._open(params)[1].takes == "frames":
            return super().gives(params, out)
        return unet_span(params.context, out)

    def load(self, params: OnnxPitchParams, device: torch.device, dtype: torch.dtype) -> None:
        """Opens the network, and tries it on silence of the length that it will be given.

        Raises:
            VoicegraphError: if it cannot run here, or not on such a length.
        """
        assert params.weights is not None
        self._signature = self._open(params)[1]
        self._network = load_network(params.weights, self.name, device)
        if self._signature.takes == "frames":
            bands = mel_filters(MELS, 0, 8000, htk=False, fft=FFT)
            self._mel = LogMel(bands, (FFT - HOP) // 2, _POWER_FLOOR)
        else:
            self._mel = LogMel(mel_filters(MELS, 30, 8000, htk=True, fft=FFT), FFT // 2)
        self._cents = salience_bins.crepe_cents()
        self._searched = salience_bins.bins_in_range(self._cents, params.floor, params.ceiling)
        span = self._analysed(params, self.asked["pitch"].interval)
        samples = round(span.duration * RATE)
        found = self.estimate_all(params, torch.zeros(1, samples))
        if found.shape[1] < self._wanted.stop:
            text = (
                f"{params.weights}: of {samples} samples, its output {self._signature.output} "
                f"makes {found.shape[1]} frames; expected are {samples // HOP + 1} every 10 ms"
            )
            raise WeightsError(Problem("wrong-pitch-model", text, fix=self._fix()))

    def estimate_all(self, params: OnnxPitchParams, audio: torch.Tensor) -> torch.Tensor:
        """F0 of all streams in Hz."""
        frames = audio.shape[1] // HOP + 1
        given = self._input(audio.float().cpu())
        made = torch.stack([self._run(params, given[i : i + 1]) for i in range(len(given))])
        if not self._signature.salience:
            f0 = made.flatten(1)[:, :frames].double()
            inside = (f0 >= params.floor) & (f0 <= params.ceiling)
            return torch.where(inside, f0, 0.0).to(self.device)
        salience = made.flatten(0, 1)[:, :frames]
        if salience.shape[2] != len(self._cents):
            text = (
                f"{params.weights}: its output {self._signature.output} has {salience.shape[2]} "
                f"bins; expected are {len(self._cents)}"
            )
            raise WeightsError(Problem("wrong-pitch-model", text, fix=self._fix()))
        searched = salience * self._searched
        f0 = salience_bins.decode(searched, self._cents, self._threshold(params))
        return f0.to(self.device)

    def _input(self, audio: torch.Tensor) -> np.ndarray:
        """Audio or spectra as the network takes them, all streams."""
        takes = self._signature.takes
        if takes == "audio":
            return audio.numpy()
        mel = self._mel(audio)
        if takes == "frames":  # a frame every 10 ms, and one more
            return torch.cat((mel, mel[..., -1:]), -1).transpose(1, 2).numpy()
        return functional.pad(mel, (0, -mel.shape[-1] % UNET_FRAMES)).numpy()

    def _run(self, params: OnnxPitchParams, given: np.ndarray) -> torch.Tensor:
        """What the network gives for one stream."""
        network, signature = self._network, self._signature
        feeds = {signature.input: given}
        if signature.threshold is not None:
            feeds[signature.threshold] = network.full(signature.threshold, self._threshold(params))
        feeds = network.drawn_once(feeds, self.seed, self.name)
        return torch.from_numpy(network.run(feeds, [signature.output])[0]).float()

    def _threshold(self, params: OnnxPitchParams) -> float:
        usual = _THRESHOLDS.get(self._signature.takes, _THRESHOLD)
        return usual if params.threshold is None else params.threshold

    def _open(self, params: OnnxPitchParams) -> tuple[OnnxFile, PitchSignature]:
        check_runtime("f0.onnx")
        if params.weights is None:
            text = "f0.onnx needs a pitch model, a file such as rmvpe.onnx, and has none"
            raise PipelineError(Problem("missing-weights", text, fix=self._fix()))
        more = f"\nor, for rmvpe.pt,  --set nodes.{self.name}.use=f0.rmvpe"
        found = open_onnx(params.weights, PitchSignature, self._fix() + more)
        assert isinstance(found.signature, PitchSignature)
        return found, found.signature

    def _fix(self) -> str:
        return "--set assets.rmvpe=RMVPE.onnx"
