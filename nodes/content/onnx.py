"""``content.onnx``: content features by an encoder in an ONNX file."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Features,
    FilePath,
    Interval,
    NodeParams,
    Origin,
    Out,
    PipelineError,
    Ports,
    Problem,
    Request,
    Requests,
    Tensors,
    register,
)
from voicegraph.graph.files.models import WeightsError
from voicegraph.graph.files.onnx_files.header import OnnxHeader
from voicegraph.graph.files.onnx_files.signatures import ContentSignature
from voicegraph.nodes.content import _onnx_example as onnx_example
from voicegraph.nodes.content._voice_features import features_of
from voicegraph.nodes.content.encoder import RATE, ContentEncoder
from voicegraph.nodes.content.encoder_provenance import encoder_origin, unknown_encoder
from voicegraph.nodes.content.hubert_sizes import FRAMES_HZ
from voicegraph.nodes.layers.onnx_file import (
    encoder_identity,
    open_onnx,
    own_random_numbers,
    stated_features,
)
from voicegraph.nodes.layers.onnx_session import OnnxNetwork, check_runtime, load_network
from voicegraph.nodes.pitch.window_frames import extend_to_whole_frames
from voicegraph.schemas.encoder_card import RVC_FEATURES, V1, V2, Chosen

_FIELD = 400
"""Samples of a frame of HuBERT and of all encoders that people have as ONNX."""
_STEPS_HZ = Fraction(100)
_LAYERS = {"units9": V1, "unit12": V2, "unit12s": Chosen(12, True)}
"""The features that outputs of the usual names hold."""
_FIX = "--set assets.hubert=ENCODER.onnx"


class OnnxContentParams(NodeParams):
    """Params of ``content.onnx``."""

    weights: FilePath | None = None
    """The encoder, an ONNX file such as `contentvec-f.onnx` or `vec-768-layer-12.onnx`, or one that
    `voicegraph export` wrote. By default the pipeline's `assets.hubert`."""
    voice: FilePath | None = None
    """The RVC voice that uses the features: it determines the width."""
    width: int | None = Field(default=None, ge=1, le=8192)
    """Width of the features, which selects one of the network's outputs. By default that of the
    voice, or 768, or the only one that there is."""
    output: str | None = Field(default=None, max_length=200)
    """The network's output by name, if several have that width. By default the first of them."""


@register("content.onnx")
class OnnxContent(ContentEncoder[OnnxContentParams, None]):
    """Content features by an encoder in an ONNX file, in the place of ``content.hubert``.

    audio ``[streams, 1, samples]`` at 16 kHz, not normalised -> windows of ``content`` ``[streams,
    frames, dim]`` at 50 Hz, as those of ``content.hubert``: the same spans, and for an export of
    the same encoder the same numbers up to rounding. The whole window is encoded again at each
    tick, one stream after the other.

    The file is run by ONNX Runtime (the extra ``onnx``) with the pipeline's threads, on the
    provider of ``device``. What its input and outputs are is found by their names and shapes. A
    file that ``voicegraph export`` wrote says which encoder it is; of any other, that is not known,
    and a voice or an index is not compared with it.
    """

    asset = "hubert"
    chunking = "windowed"
    pure = True
    dtypes = ("float32",)
    examples = (
        {"weights": "contentvec-f.onnx", "width": 6},
        {"weights": "vec-768-layer-12.onnx"},
    )

    content = Out(
        Features, rate=FRAMES_HZ, window=True, doc="content features, independent of the speaker"
    )

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """Small encoders with random weights, with the names of two programs."""
        onnx_example.write(folder)

    def ports(self, params: OnnxContentParams) -> Ports:
        """The width, and which encoder it is, from the header of the file.

        Raises:
            PipelineError: if no file is named, or it has no such output.
            WeightsError: if the file is no such network, or no runtime should see it.
        """
        header, signature = self._open(params)
        output, dim = self._output(params, signature)
        origin = _origin(header, output, dim)
        content = replace(self.declared.outputs["content"], dim=dim, origin=origin)
        return Ports(self.declared.inputs, {"content": content})

    def widened(self, params: OnnxContentParams, width: int) -> dict[str, int]:
        """That width, if the network has such an output."""
        _, signature = self._open(params)
        return {"width": width} if width in signature.features.values() else {}

    def unrepeatable(self, params: OnnxContentParams) -> tuple[str, ...]:
        """Random operators that are left inside."""
        return own_random_numbers(self._open(params)[0])

    def needs(self, params: OnnxContentParams, out: Request) -> Requests:
        """The audio of the output frames."""
        return {"audio": Request(self.gives(params, out), out.core)}

    def gives(self, params: OnnxContentParams, out: Request) -> Interval:
        """The span, extended to whole steps of 10 ms and to at least one frame."""
        span = extend_to_whole_frames(out.interval, _STEPS_HZ)
        short = math.ceil((Fraction(_FIELD, RATE) - span.duration) * _STEPS_HZ)
        return span.widen(before=max(0, short) / _STEPS_HZ)

    def prepare(self, params: OnnxContentParams) -> None:
        """Computes which samples are the network's input."""
        self._audio = self.given["audio"].part(self.asked["content"].interval)

    def load(self, params: OnnxContentParams, device: torch.device, dtype: torch.dtype) -> None:
        """Opens the network, and tries it on silence of the length that it will be given.

        Raises:
            VoicegraphError: if it cannot run here, or not on such a length.
        """
        assert params.weights is not None  # or `ports` has raised
        self._signature = self._open(params)[1]
        self._chosen, dim = self._output(params, self._signature)
        self._network: OnnxNetwork = load_network(params.weights, self.name, device)
        count = self.asked["content"].count
        samples = round(self.asked["content"].interval.duration * RATE)
        found = self._encode(np.zeros((1, samples), np.float32)).shape
        if len(found) != 3 or found[0] != 1 or found[2] != dim or abs(found[1] - count) > 1:
            text = (
                f"{params.weights}: of {samples} samples, its output {self._chosen} makes "
                f"{list(found)}; expected is [1, {count} or a frame less, {dim}]"
            )
            raise WeightsError(Problem("wrong-encoder", text, fix=_FIX))

    def process(self, inputs: Tensors, params: OnnxContentParams, state: None) -> Tensors:
        """One tick: the whole window of each stream."""
        count = self.asked["content"].count
        audio = inputs["audio"][:, 0, self._audio].cpu().numpy()
        made = np.concatenate([self._encode(audio[i : i + 1]) for i in range(len(audio))])
        found = torch.from_numpy(made).to(self.device, torch.float32)
        last = found[:, -1:].expand(-1, max(0, count - found.shape[1]), -1)
        return {"content": torch.cat([found, last], 1)[:, :count]}

    def _encode(self, audio: np.ndarray) -> np.ndarray:
        """Features of one stream: ``[1, samples]`` -> ``[1, frames, dim]``."""
        network = self._network
        feeds = {self._signature.audio: audio[:, None] if self._signature.channels else audio}
        feeds = network.drawn_once(feeds, self.seed, self.name)
        return network.run(feeds, [self._chosen])[0]

    def _open(self, params: OnnxContentParams) -> tuple[OnnxHeader, ContentSignature]:
        check_runtime("content.onnx")
        if params.weights is None:
            text = "needs the file of a content encoder, and none is given"
            raise PipelineError(Problem("missing-weights", text, fix=_FIX))
        fix = f"{_FIX}\nor, for a file of weights,  --set nodes.{self.name}.use=content.hubert"
        found = open_onnx(params.weights, ContentSignature, fix)
        assert isinstance(found.signature, ContentSignature)
        return found.header, found.signature

    def _output(self, params: OnnxContentParams, signature: ContentSignature) -> tuple[str, int]:
        """The output that is used, and its width."""
        wanted = params.width
        if wanted is None and params.voice is not None:
            features = features_of(params.voice)
            wanted = next((w for w, found in RVC_FEATURES.items() if found == features), None)
        known = {name: width for name, width in signature.features.items() if width}
        if wanted is None:
            widths = set(known.values())
            wanted = next(iter(widths)) if len(widths) == 1 else 768
        names = [name for name, width in known.items() if width == wanted]
        if params.output is not None:
            names = [name for name in names if name == params.output]
        if names:
            return names[0], wanted
        has = ", ".join(f"{n} of width {w or 'unknown'}" for n, w in signature.features.items())
        asked = f" called {params.output}" if params.output else ""
        why = f", which {params.voice} takes" if params.voice and not params.width else ""
        text = f"{params.weights} has no output{asked} of width {wanted}{why}; it has {has}"
        first = next(iter(known.values()), 768)
        fix = f"--set nodes.{self.name}.params.width={first}\nor another file:  {_FIX}"
        raise PipelineError(Problem("wrong-encoder", text, fix=fix))


def _origin(header: OnnxHeader, output: str, dim: int) -> Origin:
    """Which encoder made the features, as far as the file says so."""
    identity = encoder_identity(header)
    if identity is None:
        return unknown_encoder(header.path)
    chosen = _LAYERS.get(output) or stated_features(header) or RVC_FEATURES.get(dim)
    if chosen is not None:
        identity = identity.model_copy(update={"layer": chosen.layer, "projected": chosen.project})
    return encoder_origin(identity, header.path)
