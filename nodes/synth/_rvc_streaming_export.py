"""An RVC voice as an exported network: one block, with random numbers and state as inputs."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import nn

from voicegraph.graph import ExportedTensor, PortSpec
from voicegraph.nodes.layers.exported_stream import drawn, fixed, sung
from voicegraph.nodes.synth._rvc_streaming_block import PRIOR_NOISE, SOURCE_NOISE, voice_block
from voicegraph.nodes.synth._stream_tails import PortableTails, StreamTails
from voicegraph.nodes.synth._voice_ports import VoiceParams
from voicegraph.nodes.synth.streaming_network import StreamingNetwork, StreamSpan, StreamTensors

STATE = ("position", "pairs", "inputs", "prior", "phase", "tails")
"""The state of a stream, without its number and that of its voice."""
SPEAKER, PRIOR_SCALE, SOURCE_SCALE = "speaker", "noise_scale", "source_noise_scale"
"""Inputs by which live params change."""
_SCALES = (1.0, 0.5, 1.4, 0.0)
"""Of the examples, of both noises."""
_DOCS = {"content": "content features", "pitch": "F0 in Hz; 0 where unvoiced, -0.0 before a stream"}


class _PortableTensors(StreamTensors):
    """Of a stream that may just have begun, always: an exported network has no branches."""

    __slots__ = ("used",)

    @property
    def earliest(self) -> int:
        """None of its frames need exist."""
        return 0

    def decoder_tails(self, position: torch.Tensor | None) -> StreamTails:
        """Those of the last call of this are ``used``."""
        made = PortableTails(self.tails, position)
        object.__setattr__(self, "used", made)  # the base is frozen
        return made


class PortableVoiceBlock(nn.Module):
    """One block of one stream: inputs in the order of the ports, random numbers, live, state.

    Args:
        network: in the portable form.
        span: the frames of a block.
        frames: for each port, which of its frames are used.
        params: of the node. Noise of which they have none is no input.
        speakers: how many the voice has.

    Attributes:
        noises: the inputs with random numbers.
        live: the inputs by which live params change.
        params: live param -> its input.
    """

    def __init__(
        self,
        network: StreamingNetwork,
        span: StreamSpan,
        frames: Mapping[str, torch.Tensor],
        params: VoiceParams,
        speakers: int,
    ) -> None:
        super().__init__()
        self.network, self.span = network, span
        self.frames = dict(frames)
        self.params = {"speaker": SPEAKER}
        self.noises: dict[str, ExportedTensor] = {}
        speaker = torch.tensor([params.speaker])
        self.live = {
            SPEAKER: ExportedTensor((1,), torch.int64, f"0..{speakers - 1}", default=speaker)
        }
        if params.source_noise > 0 and "pitch" in frames:
            samples = span.new * network.dec.samples
            text = "standard normal numbers, of the decoded samples"
            self.noises[SOURCE_NOISE] = ExportedTensor((1, samples), description=text)
            self._scaled("source_noise", SOURCE_SCALE, params.source_noise)
        if params.noise_scale > 0:
            shape = (1, network.config.inter_channels, span.flow_frames)
            text = "standard normal numbers, of the frames of the flow"
            self.noises[PRIOR_NOISE] = ExportedTensor(shape, description=text)
            self._scaled("noise_scale", PRIOR_SCALE, params.noise_scale)

    def _scaled(self, param: str, name: str, value: float) -> None:
        """Makes the factor of a noise an input."""
        text = f"factor of the noise, `{param}` of the node"
        self.live[name] = ExportedTensor((), description=text, default=torch.tensor(value))
        self.params[param] = name

    def forward(self, *tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """Audio ``[1, 1, samples]`` and the next state."""
        names = (*self.frames, *self.noises, *self.live, *STATE)
        given = dict(zip(names, tensors, strict=True))
        inputs = {p: given[p].index_select(1, places) for p, places in self.frames.items()}
        inputs.update({name: given[name] for name in self.noises})
        if PRIOR_NOISE in inputs:
            inputs[PRIOR_NOISE] = inputs[PRIOR_NOISE] * given[PRIOR_SCALE]
        held = _PortableTensors(**{name: given[name].clone() for name in STATE})
        voice = (given[SPEAKER], given.get(SOURCE_SCALE, 0.0))
        audio = voice_block(self.network, self.span, inputs, *voice, held)
        tails = torch.cat(held.used.kept, 1)
        return audio, held.position, held.pairs, held.inputs, held.prior, held.phase, tails


def export_inputs(given: Mapping[str, PortSpec]) -> dict[str, ExportedTensor]:
    """The ports as inputs."""
    return {port: fixed(spec, _DOCS[port]) for port, spec in given.items()}


def export_example(
    given: Mapping[str, PortSpec], block: PortableVoiceBlock, speakers: int, case: int
) -> dict[str, torch.Tensor]:
    """Inputs of a block."""
    made: dict[str, torch.Tensor] = {}
    for port, spec in given.items():
        shape = spec.type.shape(1, spec.count)
        made[port] = sung(spec, case) if port == "pitch" else drawn(port, case, *shape)
    for name, tensor in block.noises.items():
        made[name] = drawn(name, case, *(int(size) for size in tensor.axes))
    for name in block.live:
        scale = torch.tensor(_SCALES[case % len(_SCALES)])
        made[name] = torch.tensor([case % speakers]) if name == SPEAKER else scale
    return made
