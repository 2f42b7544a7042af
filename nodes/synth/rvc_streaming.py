"""``synth.rvc_streaming``: an RVC voice as a stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch
from pydantic import Field, field_validator

from voicegraph.graph import (
    Approximation,
    Audio,
    Duration,
    ExportedNetwork,
    Features,
    In,
    Interval,
    Node,
    Out,
    PipelineError,
    Pitch,
    Ports,
    PrecisionChoice,
    Problem,
    Request,
    Requests,
    Semitones,
    State,
    Tensors,
    WrongValueError,
    format_duration,
    parse_duration,
    random,
    register,
)
from voicegraph.nodes.layers.exported_stream import fixed, stream_reference
from voicegraph.nodes.layers.form import PORTABLE_FLOAT32
from voicegraph.nodes.layers.network import choose_precision, form_for
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._rvc_streaming_block import PRIOR_NOISE, SOURCE_NOISE, voice_block
from voicegraph.nodes.synth._rvc_streaming_export import (
    PRIOR_SCALE,
    STATE,
    PortableVoiceBlock,
    export_example,
    export_inputs,
)
from voicegraph.nodes.synth._synthesizer import nearest
from voicegraph.nodes.synth._voice_ports import VoiceParams, no_speaker, voice_inputs
from voicegraph.nodes.synth._voice_trial import trial_stages
from voicegraph.nodes.synth.streaming_network import (
    StreamingNetwork,
    StreamSpan,
    StreamTensors,
    lookahead_of,
)
from voicegraph.nodes.synth.streaming_voice import StreamingVoice, load_streaming_voice
from voicegraph.nodes.synth.voice_file import open_voice
from voicegraph.schemas.voice_card import FRAMES_HZ

_FRAME = Fraction(1, FRAMES_HZ)
_EARLIEST = 128
"""Frames before the first that have random numbers of their own: as many as a span reaches back."""


@dataclass
class RvcStreamingState(State):
    """State of a stream.

    ``position`` ``[streams]`` int64: frames of 10 ms so far; ``stream`` ``[streams]`` int64: number
    of the stream; ``voice`` ``[streams]`` int64: the voice that the rest belongs to. They stay on
    the CPU, where random numbers are generated.

    ``pairs`` ``[streams, layers, frames, 2 hidden]``: keys and values of settled frames in the text
    encoder; ``inputs`` ``[streams, layers, frames, hidden]``: inputs of its convolutions; ``prior``
    ``[streams, 2 inter channels, frames]``: mean and log standard deviation of settled frames.
    ``phase`` ``[streams]``: of the sine source in periods. ``tails`` ``[streams, values]``: inputs
    of the decoder's layers.
    """

    position: torch.Tensor
    stream: torch.Tensor
    voice: torch.Tensor
    pairs: torch.Tensor
    inputs: torch.Tensor
    prior: torch.Tensor
    phase: torch.Tensor
    tails: torch.Tensor


class RvcStreamingParams(VoiceParams):
    """Params of ``synth.rvc_streaming``."""

    extra: Duration = Field(parse_duration("2.5s"), ge=0, le=60)
    """Context of the text encoder before each block. In whole 10 ms."""
    recompute: Duration | None = Field(parse_duration("240ms"), ge=0, le=60)
    """Part of `extra` that the text encoder computes again at each block; of what lies before, it
    remembers keys and values. Whole 10 ms; null computes all of it again."""
    lookahead: Duration = Field(parse_duration("10ms"), ge=0, le=1)
    """Content and pitch after the decoded frames that text encoder and flow use. This is latency,
    beside that of the decoder. Whole 10 ms."""
    formant: Semitones = 0.0
    """Always 0: a formant shift changes how many frames are decoded, which takes `synth.rvc`."""

    @field_validator("recompute", "lookahead")
    @classmethod
    def _whole_frames(cls, given: Duration | None) -> Duration | None:
        if given is not None and (given * FRAMES_HZ).denominator > 1:
            near = [format_duration((int(given * FRAMES_HZ) + k) * _FRAME) for k in (0, 1)]
            text = f"expected whole frames of 10 ms, such as {' or '.join(near)}"
            raise WrongValueError(text, near[0])
        return given


@register("synth.rvc_streaming")
class RvcStreaming(Node[RvcStreamingParams, RvcStreamingState]):
    """An RVC voice as a stream: its layers keep their state, and no sample is decoded twice.

    content ``[streams, frames, 256]`` (v1) or ``[streams, frames, 768]`` (v2), pitch ``[streams,
    frames]`` in Hz (for voices with pitch), streams or windows -> audio ``[streams, 1, samples]``
    at the voice's rate: a stream, which needs no ``dsp.sola``.

    **Decoder.** Each of its layers keeps the inputs that reach into the next block, and the source
    its phase. The output is that of decoding the whole file at once, in blocks of any size. The
    look-ahead follows from the voice's layers: 94.3 ms for voices of version 2 at 48 kHz, 104.0 ms
    at 40 kHz, 108.8 ms at 32 kHz, and 112.8 ms for version 1 at 48 kHz. That is all of the latency
    beside ``lookahead``.

    **Flow.** The 24 frames before the decoded ones are computed again, so that nothing is missing.

    **Text encoder.** It attends to ``extra`` before the block. The newest ``recompute`` of that is
    computed again with the inputs of the block, of the rest it remembers the keys and values of
    each layer. A latent enters the decoder once, with the frames after it that are known then: its
    values depend on its place in the block, as in ``synth.rvc``.

    Random numbers are functions of the pipeline's seed, the node's name, the stream and the
    position, so they do not depend on the blocks. Before the first frame there are no frames, as
    before the beginning of a file. A stream whose voice is exchanged begins anew.

    A formant shift is refused: use ``synth.rvc`` with ``dsp.sola``, as the pipeline ``rvc`` does.

    J. Kim et al., "VITS", ICML 2021; J. Kong et al., "HiFi-GAN", NeurIPS 2020; X. Wang et al.,
    "Neural source-filter waveform models", IEEE/ACM TASLP 28, 2020. Remembered keys and values of
    frames, of which the newest are computed again: Y. Shi et al., "Emformer", ICASSP 2021.
    """

    interface = "Synthesizer"
    chunking = "windowed"
    devices = ("cpu", "cuda")
    dtypes = ("float32", "float16", "bfloat16")
    needs_float64 = True
    releases_gil = True
    examples = (
        {"checkpoint": "voice.pth", "extra": "300ms", "recompute": "100ms", "speaker": 2},
        {"checkpoint": "plain.pth", "extra": "1s", "recompute": "360ms", "lookahead": 0},
        {"checkpoint": "voice.pth", "extra": "300ms", "recompute": None, "lookahead": "50ms"},
    )

    content = In(Features, window=True, doc="content features, at any rate")
    pitch = In(Pitch, window=True, doc="F0 in Hz, 0 where unvoiced, at any rate")
    audio = Out(Audio, doc="the audio")

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """Small voices, with and without pitch."""
        rvc_example.write(folder)

    def ports(self, params: RvcStreamingParams) -> Ports:
        """Width of the content, its encoder, whether there is pitch, and the rate, from the header.

        Raises:
            WeightsError: if the file is not a voice, or one that cannot be used.
            PipelineError: if it does not have that speaker, or ``formant`` is not 0.
        """
        if params.formant != 0:
            where = f"nodes.{self.name or 'NAME'}"
            text = f"formant {params.formant:g}: {_NO_FORMANT}"
            fix = f"--set {where}.params.formant=0   (or use the pipeline rvc)"
            raise PipelineError(Problem("no-formant-shift", text, fix=fix))
        card, inputs = voice_inputs(self.name, params, type(self).declared.inputs)
        return Ports(inputs, {"audio": replace(type(self).audio, rate=card.rate, channels=1)})

    def block_rates(self, params: RvcStreamingParams) -> tuple[Fraction]:
        """A voice is decoded in whole frames of 10 ms."""
        return (Fraction(FRAMES_HZ),)

    def approximations(self, params: RvcStreamingParams) -> Sequence[Approximation]:
        """What the text encoder remembers."""
        span = self._span(params)
        if not span.past:
            return ()
        times = [format_duration(frames * _FRAME) for frames in (span.past, span.again)]
        text = (
            f"the text encoder remembers {times[0]} of context as it was computed when new, and "
            f"computes the newest {times[1]} again"
        )
        return (Approximation("recompute", text, None),)

    def needs(self, params: RvcStreamingParams, out: Request) -> Requests:
        """From ``extra`` before the block to the end of the look-ahead.

        It reads less, but an encoder of windows needs that context for its newest frames.
        """
        inputs, span = self._inputs(params, out.interval), self._span(params)
        decoded = Interval(inputs.end - self.block - params.lookahead, inputs.end)
        asked = Request(inputs.widen(before=span.past * _FRAME), decoded)
        return dict.fromkeys(self.input_types, asked)

    def _inputs(self, params: RvcStreamingParams, block: Interval) -> Interval:
        """The interval of content and pitch; its frames are counted back from the end."""
        card, span = open_voice(params.checkpoint).card, self._span(params)
        late = Fraction(lookahead_of(card.config, card.f0), card.rate)
        end = block.end + late + params.lookahead
        return Interval(end - (span.new + span.again) * _FRAME, end)

    def _span(self, params: RvcStreamingParams) -> StreamSpan:
        whole, ahead = round(params.extra * FRAMES_HZ), int(params.lookahead * FRAMES_HZ)
        asked = whole if params.recompute is None else int(params.recompute * FRAMES_HZ)
        again = max(min(asked, whole), ahead)
        return StreamSpan(int(self.block * FRAMES_HZ), again, max(whole - again, 0), ahead)

    def prepare(self, params: RvcStreamingParams) -> None:
        """The frames of each call, and where they are in the inputs."""
        self._calls = self._span(params)
        inputs = self._inputs(params, self.asked["audio"].interval)
        self._places = {port: nearest(self.given[port], inputs) for port in self.input_types}

    def choose_precision(self, params: RvcStreamingParams, device: torch.device) -> PrecisionChoice:
        """A trial of residual blocks of the decoder, at the size that they have."""
        stages = trial_stages(open_voice(params.checkpoint).card.config, self._calls.new)
        return choose_precision(StreamingNetwork, stages, device)

    def load(self, params: RvcStreamingParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the weights, or takes those of another session."""
        self._frames = {port: places.to(device) for port, places in self._places.items()}
        form = form_for(StreamingNetwork, device, dtype)
        self._voice: StreamingVoice = load_streaming_voice(params.checkpoint, device, form)

    def check_change(self, params: RvcStreamingParams, new: RvcStreamingParams) -> None:
        """Checks that the loaded voice has the new speaker.

        Raises:
            ValueError: if it does not.
        """
        speakers = self._voice.card.speakers
        if new.speaker >= speakers:
            raise ValueError(no_speaker(params.checkpoint, speakers))

    def state(self, params: RvcStreamingParams, streams: int) -> RvcStreamingState:
        """Before the first frame, streams numbered from 0."""
        held = self._voice.network.empty(self._calls, streams, self.device)
        return RvcStreamingState(
            position=held.position,
            stream=torch.arange(streams),
            voice=torch.full((streams,), self._voice.network.identity),
            pairs=held.pairs,
            inputs=held.inputs,
            prior=held.prior,
            phase=held.phase,
            tails=held.tails,
        )

    def process(
        self, inputs: Tensors, params: RvcStreamingParams, state: RvcStreamingState
    ) -> Tensors:
        """One block."""
        self._begin_where_exchanged(state)
        noise = {SOURCE_NOISE: self._source_noise(params, state)}
        noise[PRIOR_NOISE] = self._prior_noise(params, state)
        drawn = {name: values for name, values in noise.items() if values is not None}
        held = StreamTensors(
            state.position, state.pairs, state.inputs, state.prior, state.phase, state.tails
        )
        return {"audio": self._made(inputs, drawn, params, held)}

    def _made(
        self, inputs: Tensors, noise: Tensors, params: RvcStreamingParams, held: StreamTensors
    ) -> torch.Tensor:
        frames = {port: inputs[port].index_select(1, self._frames[port]) for port in self._frames}
        voice = (params.speaker, params.source_noise)
        return voice_block(self._voice.network, self._calls, {**frames, **noise}, *voice, held)

    def _begin_where_exchanged(self, state: RvcStreamingState) -> None:
        """Begins streams anew whose state was left by another voice, in a hot swap."""
        others = state.voice != self._voice.network.identity
        if bool(others.any()):
            for name, tensor in state.tensors().items():
                if name != "stream":
                    tensor[others.to(tensor.device)] = 0
            state.voice[others] = self._voice.network.identity

    def _source_noise(
        self, params: RvcStreamingParams, state: RvcStreamingState
    ) -> torch.Tensor | None:
        """``[streams, samples]`` of the decoded frames; None if there is none."""
        if params.source_noise == 0 or "pitch" not in self._frames:
            return None
        samples, span = self._voice.network.dec.samples, self._calls
        return self._drawn("source", state, -span.ahead, span.new, samples).flatten(1)

    def _prior_noise(
        self, params: RvcStreamingParams, state: RvcStreamingState
    ) -> torch.Tensor | None:
        """``[streams, channels, flow frames]``; None if ``noise_scale`` is 0."""
        if params.noise_scale == 0:
            return None
        channels, count = self._voice.card.config.inter_channels, self._calls.flow_frames
        drawn = self._drawn("prior", state, self._calls.new - count, count, channels)
        return drawn.mT * params.noise_scale

    def _drawn(
        self, what: str, state: RvcStreamingState, first: int, frames: int, size: int
    ) -> torch.Tensor:
        """Standard normal random numbers of frames, ``[streams, frames, size]``.

        ``first`` is the first frame, counted from the first new one.
        """
        at = (state.position + first + _EARLIEST) * size
        name = f"{self.name}.{what}"
        drawn = random.normal_tensor(self.seed, name, state.stream, at, frames * size)
        return drawn.unflatten(1, (frames, size)).to(self.device)

    def exports(self, params: RvcStreamingParams) -> ExportedNetwork:
        """A block; random numbers, their amounts and the speaker are inputs."""
        cpu, state = torch.device("cpu"), self.state(params, 1)
        network = load_streaming_voice(params.checkpoint, cpu, PORTABLE_FLOAT32).network
        speakers = self._voice.card.speakers
        block = PortableVoiceBlock(network, self._calls, self._frames, params, speakers)
        given = {port: self.given[port] for port in self.input_types}

        def step(inputs: Tensors, held: RvcStreamingState) -> Tensors:
            noise = {name: inputs[name] for name in block.noises}
            if PRIOR_NOISE in noise:
                noise[PRIOR_NOISE] = noise[PRIOR_NOISE] * inputs[PRIOR_SCALE]
            changed = {param: inputs[name].item() for param, name in block.params.items()}
            tensors = {name: held.tensors()[name] for name in STATE}
            now = params.model_copy(update=changed)
            return {"audio": self._made(inputs, noise, now, StreamTensors(**tensors))}

        return ExportedNetwork(
            module=block,
            inputs={**export_inputs(given), **block.noises, **block.live},
            outputs={"audio": fixed(self.asked["audio"], "the audio")},
            example=lambda case: export_example(given, block, speakers, case),
            reference=stream_reference(step, self.state(params, 1)),
            state={name: state.tensors()[name] for name in STATE},
            metadata={"sample_rate": str(self._voice.card.rate)},
            live={"source_noise": None, **block.params} if "pitch" not in given else block.params,
        )


_NO_FORMANT = (
    "a formant shift changes how many frames are decoded, so a streaming decoder cannot keep its "
    "state; the pipeline rvc (synth.rvc with dsp.sola) can"
)
