"""``synth.rvc``: an RVC voice."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import torch
from pydantic import Field

from voicegraph.graph import (
    Duration,
    ExportedNetwork,
    Interval,
    Live,
    Ports,
    PrecisionChoice,
    Semitones,
    State,
    Tensors,
    parse_duration,
    random,
    register,
)
from voicegraph.nodes.layers.network import choose_precision, form_for
from voicegraph.nodes.synth import rvc_example
from voicegraph.nodes.synth._formant_shift import FormantShift
from voicegraph.nodes.synth._source import add_noise
from voicegraph.nodes.synth._synthesizer import Synthesizer
from voicegraph.nodes.synth._voice_interface import voice_export
from voicegraph.nodes.synth._voice_ports import VoiceParams, no_speaker, voice_inputs
from voicegraph.nodes.synth._voice_trial import USUAL, trial_stages
from voicegraph.nodes.synth.network import VoiceNetwork, Window
from voicegraph.nodes.synth.pitch_bins import coarse_pitch
from voicegraph.nodes.synth.voice_file import open_voice
from voicegraph.nodes.synth.voice_network import Voice, load_voice
from voicegraph.schemas.voice_card import FRAMES_HZ


@dataclass
class RvcState(State):
    """The position of the random numbers; it stays on the CPU, where they are generated.

    ``tick`` ``[streams]`` int64: ticks so far. ``stream`` ``[streams]`` int64: number of the
    stream.
    """

    tick: torch.Tensor
    stream: torch.Tensor


class RvcParams(VoiceParams):
    """Params of ``synth.rvc``."""

    extra: Duration = Field(parse_duration("2.5s"), ge=0, le=60)
    """Context before the decoded span: more stable sound, at more cost. In whole 10 ms."""
    formant: Live[Semitones] = Field(0.0, ge=-24, le=24)
    """Formant shift in semitones; the pitch stays."""


@register("synth.rvc")
class Rvc(Synthesizer[RvcParams, RvcState]):
    """An RVC voice: VITS's text encoder and flow, and a HiFi-GAN decoder with a sine source.

    content ``[streams, frames, 256]`` (v1) or ``[streams, frames, 768]`` (v2), pitch ``[streams,
    frames]`` in Hz (for voices with pitch) -> windows audio ``[streams, 1, samples]`` at the
    voice's rate.

    The text encoder uses all frames, from ``extra`` before the decoded ones to those after them.
    The flow runs on the frames that affect the decoded ones, the decoder on these alone. For a
    formant shift of s semitones F0 is shifted by -s, 2^(s/12) times as many frames are decoded, and
    the result is resampled to the original length. Content frames below 100 Hz are repeated.

    Random numbers are functions of the pipeline's seed, the node's name, the stream and the tick.
    Weight norms are folded at load. There is one copy of the weights in the process for each file,
    device and form. The phase of the source is always float32.

    J. Kim et al., "VITS", ICML 2021; J. Kong et al., "HiFi-GAN", NeurIPS 2020; X. Wang et al.,
    "Neural source-filter waveform models", IEEE/ACM TASLP 28, 2020. It matches the synthesizer of
    RVC's real-time path number for number.
    """

    devices = ("cpu", "cuda")
    needs_float64 = True
    dtypes = ("float32", "float16", "bfloat16")
    releases_gil = True
    examples = rvc_example.EXAMPLES

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """Small voices, with and without pitch."""
        rvc_example.write(folder)

    def ports(self, params: RvcParams) -> Ports:
        """Width of the content, its encoder, whether there is pitch, and the rate, from the header.

        Raises:
            WeightsError: if the file is not a voice, or one that cannot be used.
            PipelineError: if it does not have that speaker.
        """
        card, inputs = voice_inputs(self.name, params, type(self).declared.inputs)
        return Ports(inputs, {"audio": replace(type(self).audio, rate=card.rate, channels=1)})

    def context(self, params: RvcParams) -> Fraction:
        """``extra`` in whole frames, halves to the even one."""
        return Fraction(round(params.extra * FRAMES_HZ), FRAMES_HZ)

    def choose_precision(self, params: RvcParams, device: torch.device) -> PrecisionChoice:
        """A trial of residual blocks of the decoder, at the size that they have."""
        card = open_voice(params.checkpoint).card
        frames = int(self.asked["audio"].interval.duration * FRAMES_HZ)
        return choose_precision(VoiceNetwork, trial_stages(card.config, frames), device)

    @classmethod
    def usual_precision(cls) -> PrecisionChoice:
        """Of a voice of version 2 at 48 kHz that decodes 300 ms at each block."""
        return choose_precision(VoiceNetwork, trial_stages(USUAL, 30), torch.device("cpu"))

    def load(self, params: RvcParams, device: torch.device, dtype: torch.dtype) -> None:
        """Loads the weights, or takes those of another session."""
        made, asked = self.given["content"].core, self.asked["audio"].interval
        span = Interval(asked.start - self.context(params), made.end)
        skip = int(self.context(params) * FRAMES_HZ)
        self._window = Window(skip, int(asked.duration * FRAMES_HZ))
        self._frames = {port: self.frames(port, span).to(device) for port in self.input_types}
        form = form_for(VoiceNetwork, device, dtype)
        self._voice: Voice = load_voice(params.checkpoint, device, form)

    def check_change(self, params: RvcParams, new: RvcParams) -> None:
        """Checks that the loaded voice has the new speaker.

        Raises:
            ValueError: if it does not.
        """
        speakers = self._voice.card.speakers
        if new.speaker >= speakers:
            raise ValueError(no_speaker(params.checkpoint, speakers))

    def state(self, params: RvcParams, streams: int) -> RvcState:
        """The first tick, streams numbered from 0."""
        return RvcState(torch.zeros(streams, dtype=torch.int64), torch.arange(streams))

    def exports(self, params: RvcParams) -> ExportedNetwork:
        """The whole voice for windows of any length; which frames are decoded is an input.

        Speaker, noise and formant shift are inputs, too.
        """
        return voice_export(open_voice(params.checkpoint), self._voice)

    def process(self, inputs: Tensors, params: RvcParams, state: RvcState) -> Tensors:
        """One window."""
        frames = {port: x.index_select(1, self._frames[port]) for port, x in inputs.items()}
        voice, window = self._voice, self._window
        stretch = FormantShift.of(params.formant, window.count, voice.card.rate)
        bins = wave = None
        if "pitch" in frames:
            f0 = frames["pitch"]
            if params.formant != 0:
                f0 = f0 * 2.0 ** (-params.formant / 12.0)
            bins = coarse_pitch(f0)
            wave = self._source(
                f0[:, window.skip : window.skip + window.count], stretch, params, state
            )
        noise = self._prior_noise(frames["content"].shape[1], params, state)
        state.tick += 1
        audio = voice.network(
            frames["content"], bins, wave, params.speaker, window, noise, stretch.frames
        )
        return {"audio": stretch.restore_length(audio)}

    def _source(
        self, f0: torch.Tensor, stretch: FormantShift, params: RvcParams, state: RvcState
    ) -> torch.Tensor:
        """The sine source of the decoded frames, ``[streams, samples]``."""
        if stretch.frames != stretch.count:
            f0 = f0 * stretch.frames / stretch.count
        wave = self._voice.network.source(f0)
        if params.source_noise > 0:
            noise = self._drawn("source", wave.shape[1], state)
            wave = add_noise(wave, f0, noise, params.source_noise)
        return wave

    def _prior_noise(self, frames: int, params: RvcParams, state: RvcState) -> torch.Tensor | None:
        """``[streams, channels, frames of the prior]``; None if ``noise_scale`` is 0."""
        if params.noise_scale == 0:
            return None
        shape = (self._voice.card.config.inter_channels, self._window.prior_frames(frames))
        drawn = self._drawn("prior", shape[0] * shape[1], state)
        return drawn.unflatten(1, shape) * params.noise_scale

    def _drawn(self, what: str, count: int, state: RvcState) -> torch.Tensor:
        """Standard normal random numbers of this tick, ``[streams, count]``."""
        name = f"{self.name}.{what}"
        drawn = random.normal_tensor(self.seed, name, state.stream, state.tick * count, count)
        return drawn.to(self.device)
