"""``synth.onnx``: an RVC voice in an ONNX file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import torch
from pydantic import Field

from voicegraph.graph import (
    Duration,
    FilePath,
    In,
    Interval,
    Live,
    PipelineError,
    Ports,
    Problem,
    Semitones,
    State,
    Tensors,
    parse_duration,
    random,
    register,
)
from voicegraph.graph.files.onnx_files.signatures import VoiceSignature
from voicegraph.nodes.content.encoder_provenance import required_encoder
from voicegraph.nodes.layers.onnx_file import OnnxFile, open_onnx, own_random_numbers
from voicegraph.nodes.layers.onnx_session import check_runtime, load_network
from voicegraph.nodes.synth import _onnx_example as onnx_example
from voicegraph.nodes.synth._formant_shift import FormantShift
from voicegraph.nodes.synth._onnx_voice import Drawn, OnnxVoice, Spoken
from voicegraph.nodes.synth._synthesizer import Synthesizer
from voicegraph.nodes.synth._voice_ports import VoiceParams, no_speaker
from voicegraph.nodes.synth.network import Window
from voicegraph.nodes.synth.pitch_bins import coarse_pitch
from voicegraph.schemas.onnx_card import OnnxCard
from voicegraph.schemas.voice_card import FRAMES_HZ

_TRIED_HZ = 100.0
"""F0 with which a voice is tried when it is loaded."""


@dataclass
class OnnxVoiceState(State):
    """The position of the random numbers; it stays on the CPU, where they are generated.

    ``tick`` ``[streams]`` int64: ticks so far. ``stream`` ``[streams]`` int64: number of the
    stream.
    """

    tick: torch.Tensor
    stream: torch.Tensor


class OnnxVoiceParams(VoiceParams):
    """Params of ``synth.onnx``."""

    checkpoint: FilePath
    """The voice: an ONNX file of w-okada's or deiteris' voice changer, of RVC's WebUI, of
    MoeVoiceStudio, or of ``voicegraph export``."""
    rate: int | None = Field(None, ge=8000, le=192000, multiple_of=100)
    """Sample rate of the voice in Hz. By default what the file shows: its upsampling, or its
    metadata."""
    extra: Duration = Field(parse_duration("2.5s"), ge=0, le=60)
    """Context before the decoded span: more stable sound, at more cost. In whole 10 ms."""
    formant: Live[Semitones] = Field(0.0, ge=-24, le=24)
    """Formant shift in semitones; the pitch stays. Only for files with an input for it."""


@register("synth.onnx")
class OnnxSynthesizer(Synthesizer[OnnxVoiceParams, OnnxVoiceState]):
    """An RVC voice in an ONNX file, in the place of ``synth.rvc``.

    content ``[streams, frames, 256]`` (v1) or ``[streams, frames, 768]`` (v2), pitch ``[streams,
    frames]`` in Hz (for voices with pitch) -> windows audio ``[streams, 1, samples]`` at the
    voice's rate.

    The file is run by ONNX Runtime (the extra ``onnx``) with the pipeline's threads, on the
    provider of ``device``, one stream after the other. What its inputs are is found by their names
    and shapes. Files that take ``skip_head`` and ``return_length`` decode what is needed; others
    decode the whole window, of which the rest is dropped, so that a short ``extra`` pays.

    Random numbers are functions of the pipeline's seed, the node's name, the stream and the tick,
    also those that a file draws itself: its random operators become inputs. ``noise_scale`` and
    ``source_noise`` scale them.
    """

    devices = ("cpu", "cuda")
    releases_gil = True
    examples = onnx_example.EXAMPLES

    @classmethod
    def write_examples(cls, folder: Path) -> None:
        """Small voices with the names of several programs."""
        onnx_example.write(folder)

    def ports(self, params: OnnxVoiceParams) -> Ports:
        """Width of the content, its encoder, whether there is pitch, and the rate, from the header.

        Raises:
            WeightsError: if the file is not a voice, or no runtime should see it.
            PipelineError: if it does not have that speaker or a formant shift, or its rate is not
                known.
        """
        found, card = self._open(params)
        self._check_params(params, card, found)
        rate = params.rate or card.sample_rate
        if rate is None or rate % FRAMES_HZ:
            text = f"{params.checkpoint} does not show its sample rate"
            fix = f"--set nodes.{self.name}.params.rate=48000   (or 40000, 32000)"
            raise PipelineError(Problem("unknown-rate", text, fix=fix))
        audio = replace(type(self).audio, rate=rate, channels=1)
        return Ports(self._inputs(params, card), {"audio": audio})

    def unrepeatable(self, params: OnnxVoiceParams) -> tuple[str, ...]:
        """Random operators that are left inside."""
        return own_random_numbers(self._open(params)[0].header)

    def context(self, params: OnnxVoiceParams) -> Fraction:
        """``extra`` in whole frames, halves to the even one."""
        return Fraction(round(params.extra * FRAMES_HZ), FRAMES_HZ)

    def load(self, params: OnnxVoiceParams, device: torch.device, dtype: torch.dtype) -> None:
        """Opens the network, and tries it on a window of the size that it will be given.

        Raises:
            VoicegraphError: if it cannot run here, or not on such a window.
        """
        found, card = self._open(params)
        assert isinstance(found.signature, VoiceSignature)
        made, asked = self.given["content"].core, self.asked["audio"].interval
        span = Interval(asked.start - self.context(params), made.end)
        window = Window(int(self.context(params) * FRAMES_HZ), int(asked.duration * FRAMES_HZ))
        self._frames = {port: self.frames(port, span) for port in self.input_types}
        self._speakers = card.speakers
        frame = round(self.output_types["audio"].rate) // FRAMES_HZ
        network = load_network(params.checkpoint, self.name, device)
        self._voice = OnnxVoice(network, found.signature, window, frame)
        self._try(params, len(self._frames["content"]))

    def check_change(self, params: OnnxVoiceParams, new: OnnxVoiceParams) -> None:
        """Checks that the loaded voice has the new speaker, and an input for a formant shift.

        Raises:
            ValueError: if it does not.
        """
        if self._speakers is not None and new.speaker >= self._speakers:
            raise ValueError(no_speaker(params.checkpoint, self._speakers))
        if new.formant != 0 and self._voice.signature.formant is None:
            raise ValueError(_no_formant(params.checkpoint))

    def state(self, params: OnnxVoiceParams, streams: int) -> OnnxVoiceState:
        """The first tick, streams numbered from 0."""
        return OnnxVoiceState(torch.zeros(streams, dtype=torch.int64), torch.arange(streams))

    def process(self, inputs: Tensors, params: OnnxVoiceParams, state: OnnxVoiceState) -> Tensors:
        """One window of each stream."""
        frames = {port: x.cpu().index_select(1, self._frames[port]) for port, x in inputs.items()}
        voice = self._voice
        stretch = FormantShift.of(params.formant, voice.window.count, voice.frame * FRAMES_HZ)
        made = [
            voice.decode(
                _spoken(frames, i, params, stretch),
                self._drawn(params, int(state.stream[i]), int(state.tick[i])),
            )
            for i in range(frames["content"].shape[0])
        ]
        state.tick += 1
        audio = torch.from_numpy(np.stack(made))[:, None]
        return {"audio": stretch.restore_length(audio).to(self.device)}

    def _try(self, params: OnnxVoiceParams, frames: int) -> None:
        width = self.input_types["content"].width or 1
        tried = {"content": torch.zeros(1, frames, width)}
        if "pitch" in self.input_types:
            tried["pitch"] = torch.full((1, frames), _TRIED_HZ)
        count, rate = self._voice.window.count, self._voice.frame * FRAMES_HZ
        stretch = FormantShift.of(params.formant, count, rate)
        self._voice.decode(_spoken(tried, 0, params, stretch), self._drawn(params, 0, 0))

    def _drawn(self, params: OnnxVoiceParams, stream: int, tick: int) -> Drawn:
        def numbers(what: str, count: int) -> np.ndarray:
            return random.normal(self.seed, f"{self.name}.{what}", stream, tick * count, count)

        return Drawn(
            self.seed, self.name, stream, tick, numbers, params.noise_scale, params.source_noise
        )

    def _open(self, params: OnnxVoiceParams) -> tuple[OnnxFile, OnnxCard]:
        check_runtime("synth.onnx")
        fix = f"--set nodes.{self.name}.params.checkpoint=VOICE.onnx"
        fix += f"\nor, for a .pth or .safetensors file,  --set nodes.{self.name}.use=synth.rvc"
        found = open_onnx(params.checkpoint, VoiceSignature, fix)
        return found, found.describe()

    def _check_params(self, params: OnnxVoiceParams, card: OnnxCard, found: OnnxFile) -> None:
        """Checks speaker and formant shift.

        Raises:
            PipelineError: if the file has no such speaker, or no input for a formant shift.
        """
        path, where = params.checkpoint, f"--set nodes.{self.name}.params"
        if card.speakers is not None and params.speaker >= card.speakers:
            text = f"speaker {params.speaker}: {no_speaker(path, card.speakers)}"
            fix = f"{where}.speaker={card.speakers - 1}"
            raise PipelineError(Problem("no-such-speaker", text, fix=fix))
        assert isinstance(found.signature, VoiceSignature)
        if params.formant != 0 and found.signature.formant is None:
            problem = Problem("no-formant-shift", _no_formant(path), fix=f"{where}.formant=0")
            raise PipelineError(problem)

    def _inputs(self, params: OnnxVoiceParams, card: OnnxCard) -> Mapping[str, In]:
        inputs = dict(type(self).declared.inputs)
        wanted = required_encoder(
            card.trained_on,
            params.checkpoint,
            "checkpoint",
            params.any_encoder,
            card.encoder,
            card.features,
        )
        name = params.checkpoint.name
        doc = f"content features; {name} takes width {card.width or 'not stated'}"
        inputs["content"] = replace(inputs["content"], dim=card.width, doc=doc, wanted=wanted)
        if not card.f0:
            del inputs["pitch"]
        return inputs


def _no_formant(path: Path) -> str:
    return f"{path} has no input for a formant shift (formant_length)"


def _spoken(
    frames: Mapping[str, torch.Tensor], stream: int, params: OnnxVoiceParams, stretch: FormantShift
) -> Spoken:
    """What one stream gives the network."""
    content = frames["content"][stream : stream + 1].float().numpy()
    if "pitch" not in frames:
        return Spoken(content, None, None, params.speaker, stretch.frames)
    f0 = frames["pitch"][stream : stream + 1]
    if params.formant != 0:
        f0 = f0 * 2.0 ** (-params.formant / 12.0)
    bins = coarse_pitch(f0).numpy()
    if stretch.frames != stretch.count:  # the source is stretched with the frames
        f0 = f0 * stretch.frames / stretch.count
    return Spoken(content, bins, f0.numpy(), params.speaker, stretch.frames)
