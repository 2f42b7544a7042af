"""``synth.source_filter``: a small source-filter voice, as a stream."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import torch
from pydantic import Field

from voicegraph.graph import (
    Audio,
    Decibels,
    ExportedNetwork,
    Features,
    FilePath,
    In,
    Interval,
    Live,
    Node,
    NodeParams,
    Out,
    Pitch,
    Ports,
    Request,
    Requests,
    Semitones,
    Tensors,
    random,
    register,
)
from voicegraph.nodes.content.encoder_provenance import required_encoder
from voicegraph.nodes.layers.exported_stream import fixed, stream_reference
from voicegraph.nodes.layers.network import form_for
from voicegraph.nodes.synth import _source_filter_example as source_filter_example
from voicegraph.nodes.synth import _source_filter_export as export
from voicegraph.nodes.synth._frame_interpolation import FramePositions
from voicegraph.nodes.synth._minimum_phase import tail_hops
from voicegraph.nodes.synth._source_filter_block import (
    SILENCE_DB,
    BlockFrames,
    SourceFilterBlock,
    SourceFilterState,
)
from voicegraph.nodes.synth._source_filter_export import PortableSourceFilter
from voicegraph.nodes.synth.source_filter_file import load_source_filter, open_source_filter
from voicegraph.nodes.synth.source_filter_network import AHEAD, SourceFilterNetwork
from voicegraph.schemas.voice_card import FRAMES_HZ

_SETTLES = 100
"""Frames of silence after which the history of the network is stationary."""
_FRAME = Fraction(1, FRAMES_HZ)


class SourceFilterParams(NodeParams):
    """Params of ``synth.source_filter``."""

    voice: FilePath
    """The voice: a ``.safetensors`` file that ``voicegraph inspect`` calls a source-filter
    voice."""
    formant: Live[Semitones] = Field(0.0, ge=-12, le=12)
    """Formant shift in semitones; the pitch stays."""
    breath: Live[Decibels] = Field(0.0, ge=-60, le=20)
    """Gain of the noise, in voiced and unvoiced sounds."""
    any_encoder: bool = False
    """Accept features of any content encoder, even if the voice states that it was trained on
    another one."""


@register("synth.source_filter")
class SourceFilter(Node[SourceFilterParams, SourceFilterState]):
    """A source-filter voice: a pulse train and noise, each through a minimum-phase filter.

    content ``[streams, frames, dim]``, pitch ``[streams, frames]`` in Hz and level ``[streams,
    frames, 1]`` in dB, as ``dsp.loudness`` measures it, at any rates -> audio ``[streams, 1,
    samples]`` at the voice's rate: a stream.

    Every 10 ms a causal network with 30 ms of look-ahead computes two spectral envelopes from
    content, F0 and level. The pulses are band-limited, of power 1 and of continuous phase. The
    noise is a function of the pipeline's seed, the node's name, the stream and the position. Frames
    of 20 ms under a Hann window are filtered by an FFT and overlap by half. So the output is the
    same in blocks of any size, continuous, and needs no crossfade.

    Frames lie every 10 ms from the start of a block; content and level are
    interpolated linearly, pitch on a logarithmic scale between voiced frames. The look-ahead is
    40 ms, plus what the grid of content at 50 Hz adds.

    Beside the network a file contains content features of its training for ``retrieval.faiss``,
    whose ``index`` may name the voice file.

    J. Makhoul et al., "A mixed-source model for speech compression and synthesis", JASA 64, 1978;
    X. Wang et al., "Neural source-filter waveform models", IEEE/ACM TASLP 28, 2020; noise through
    the minimum phase as in M. Morise et al., "WORLD", IEICE Trans. E99-D(7), 2016.
    """

    devices = ("cpu", "cuda")
    needs_float64 = True
    releases_gil = True
    examples = source_filter_example.EXAMPLES

    content = In(Features, doc="content features, at any rate")
    pitch = In(Pitch, doc="F0 in Hz, 0 where unvoiced, at any rate")
    level = In(Features, dim=1, doc="level in dB of full scale, as dsp.loudness measures it")
    audio = Out(Audio, doc="the audio")

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """Small voices."""
        source_filter_example.write(folder)

    def ports(self, params: SourceFilterParams) -> Ports:
        """Width of the content, its encoder, and the rate, from the header.

        Raises:
            WeightsError: if the file is not a voice, or one that cannot be used.
        """
        fix = f"--set nodes.{self.name}.params.voice=VOICE.safetensors"
        card = open_source_filter(params.voice, fix)[1]
        sizes = card.sizes
        wanted = required_encoder(card.trained_on, params.voice, "voice", params.any_encoder)
        content = replace(
            type(self).content,
            dim=sizes.content,
            doc=f"content features; {params.voice.name} takes a width of {sizes.content}",
            wanted=wanted,
        )
        audio = replace(type(self).audio, rate=sizes.sample_rate, channels=1)
        return Ports({**type(self).declared.inputs, "content": content}, {"audio": audio})

    def block_rates(self, params: SourceFilterParams) -> tuple[Fraction]:
        """A voice is made in whole frames of 10 ms."""
        return (Fraction(FRAMES_HZ),)

    def needs(self, params: SourceFilterParams, out: Request) -> Requests:
        """From two frames before the block to three after it, and one input frame more."""
        return {
            port: Request(self._span(out.interval).widen(after=1 / found.rate), out.core)
            for port, found in self.input_types.items()
        }

    def _span(self, block: Interval) -> Interval:
        """Times of the first and the last frame of the network's input."""
        return block.widen((AHEAD - 1) * _FRAME, AHEAD * _FRAME)

    def load(self, params: SourceFilterParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the weights, or takes those of another session."""
        form = form_for(SourceFilterNetwork, device, dtype)
        network = load_source_filter(params.voice, device, form)
        self._block = SourceFilterBlock(network, self._frames(device))

    def _frames(self, device: torch.device) -> BlockFrames:
        """The frames of a block, and where they lie in the inputs."""
        block, level = self.asked["audio"].interval, self.given["level"]
        span = self._span(block)
        count = int(span.duration * FRAMES_HZ) + 1
        places = {
            port: FramePositions.of(spec, span.start, count, device)
            for port, spec in self.given.items()
        }
        step = math.floor(self.block * level.rate)
        return BlockFrames(int(block.duration * FRAMES_HZ), places, step, level.count - step)

    def _silence(self) -> torch.Tensor:
        """The history of the network after silence, ``[blocks, taps - 1, channels]``.

        A history of zeros is not silence: the output would begin with a burst.
        """
        network = self._block.network
        content = network.content_mean.expand(1, _SETTLES, -1)
        level = torch.full((1, _SETTLES), SILENCE_DB, device=self.device)
        controls = network.controls(content, torch.zeros_like(level), level)
        with torch.inference_mode():
            return torch.cat(network.bands(controls)[1])

    def state(self, params: SourceFilterParams, streams: int) -> SourceFilterState:
        """Starts after silence."""
        sizes, device = self._block.network.sizes, self.device
        return SourceFilterState(
            phase=torch.zeros(streams, dtype=torch.float64, device=device),
            position=torch.zeros(streams, dtype=torch.int64),
            stream=torch.arange(streams),
            history=self._silence().repeat(streams, 1, 1, 1).float(),
            tail=torch.zeros(streams, tail_hops(sizes.fft, sizes.hop) * sizes.hop, device=device),
        )

    def process(
        self, inputs: Tensors, params: SourceFilterParams, state: SourceFilterState
    ) -> Tensors:
        """One block."""
        noise = random.normal_tensor(
            self.seed, f"{self.name}.noise", state.stream, state.position, self._block.samples
        )
        audio = self._block(inputs, noise, params.formant, params.breath, state)
        return {"audio": audio[:, None]}

    def exports(self, params: SourceFilterParams) -> ExportedNetwork:
        """A block: its noise, ``formant`` and ``breath`` are inputs."""
        live, block = {"formant": params.formant, "breath": params.breath}, self._block
        portable = SourceFilterBlock(
            load_source_filter(params.voice), self._frames(torch.device("cpu")), portable=True
        )
        state, given = self.state(params, 1), self.given

        def step(inputs: Tensors, held: SourceFilterState) -> Tensors:
            formant, breath = (float(inputs[name]) for name in live)
            return {"audio": block(inputs, inputs["noise"], formant, breath, held)[:, None]}

        return ExportedNetwork(
            module=PortableSourceFilter(portable),
            inputs=export.inputs_of(given, block.samples, live),
            outputs={"audio": fixed(self.asked["audio"], "the audio")},
            example=lambda case: export.example(given, block.samples, case),
            reference=stream_reference(step, self.state(params, 1)),
            state={name: state.tensors()[name] for name in export.STATE},
            live={name: name for name in live},
            metadata={"sample_rate": str(block.network.sizes.sample_rate)},
        )
