"""Tells the networks that people have as ONNX apart: content encoders, voices, pitch models.

Every program names inputs in its own way, and some leave names to the exporter. So an input is
recognised by its name or, where names differ, by its shape; the order does not matter.

Sources: the exporters and callers of w-okada's voice-changer, deiteris' voice-changer, RVC's WebUI
and MoeVoiceStudio; only names and shapes.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ._graph import OnnxValue
from ._tensors import FLOATS
from .header import OnnxHeader

__all__ = ["ContentSignature", "PitchSignature", "Signature", "VoiceSignature", "signature_of"]

MELS = 128
"""Mel bands of every pitch model that people have."""
_AUDIO = ("audio", "source", "wav", "waveform", "input_values")
_CONTENT = ("feats", "phone", "content", "units", "hubert")
_LENGTHS = ("p_len", "phone_lengths", "feats_lengths", "lengths")
_BINS = ("pitch",)
_HERTZ = ("pitchf", "nsff0", "f0")
_SPEAKER = ("sid", "ds", "speaker")
_NOISE = ("rnd", "noise")
_SOURCE_NOISE = ("source_noise",)
_SKIP = ("skip_head",)
_RETURNED = ("return_length",)
_FORMANT = ("formant_length", "return_length2")
_SCALES = ("noise_scale", "source_noise_scale")
_THRESHOLD = ("threshold",)
_SALIENCE = ("salience",)
_ENCODERS = frozenset({"units9", "unit12", "unit12s"})
"""Outputs of contentvec-f.onnx: the projection of layer 9, layer 12, and its projection."""


@dataclass(frozen=True, slots=True)
class ContentSignature:
    """A content encoder.

    Attributes:
        audio: name of the input, at 16 kHz.
        channels: whether it has an axis of channels: ``[1, 1, samples]``.
        features: width of each output ``[1, frames, width]`` by name; None if it is not stated.
        program: whose naming it has.
    """

    audio: str
    channels: bool
    features: Mapping[str, int | None]
    program: str


@dataclass(frozen=True, slots=True)
class VoiceSignature:
    """An RVC voice. Names of inputs; None where it has none.

    Attributes:
        content: features ``[1, frames, width]``.
        width: of the features; None if it is not stated.
        audio: name of the output.
        program: whose naming it has.
        lengths: number of frames ``[1]``.
        pitch: bins of F0, int64 ``[1, frames]``.
        pitchf: F0 in Hz ``[1, frames]``.
        speaker: number of the speaker ``[1]``.
        noise: random numbers of the prior ``[1, channels, frames]``.
        source_noise: random numbers of the sine source.
        skip: frames of context, which are not decoded.
        returned: frames that are decoded.
        formant: frames that these are stretched to.
        scales: factors of random numbers that are drawn inside.
    """

    content: str
    width: int | None
    audio: str
    program: str
    lengths: str | None = None
    pitch: str | None = None
    pitchf: str | None = None
    speaker: str | None = None
    noise: str | None = None
    source_noise: str | None = None
    skip: str | None = None
    returned: str | None = None
    formant: str | None = None
    scales: tuple[str, ...] = ()

    @property
    def f0(self) -> bool:
        """Whether it takes pitch."""
        return self.pitch is not None or self.pitchf is not None


@dataclass(frozen=True, slots=True)
class PitchSignature:
    """A pitch model.

    Attributes:
        input: name of the audio at 16 kHz ``[1, samples]``, or of the mel spectrum.
        takes: the form of that input: audio, ``mel`` as ``[1, bands, frames]``, or ``frames`` as
            ``[1, frames, bands]``.
        output: name of what is used of it.
        salience: whether that are ``[1, frames, bins]``, else F0 in Hz ``[1, frames]``.
        threshold: name of the input for the threshold of voicing; None without one.
        program: whose naming it has.
    """

    input: str
    takes: Literal["audio", "mel", "frames"]
    output: str
    salience: bool
    threshold: str | None
    program: str


Signature = ContentSignature | VoiceSignature | PitchSignature


def signature_of(header: OnnxHeader) -> Signature | None:
    """What a network is, by the names and shapes of its inputs and outputs; None if unknown."""
    return _voice(header) or _pitch(header) or _content(header)


def _program(header: OnnxHeader, by_names: str) -> str:
    return "voicegraph" if "voicegraph" in header.metadata else by_names


def _size(value: OnnxValue, axis: int) -> int | None:
    """A fixed size of a shape; None if it varies or is not stated."""
    if value.axes is None or not -len(value.axes) <= axis < len(value.axes):
        return None
    found = value.axes[axis]
    return found if isinstance(found, int) else None


def _rank(value: OnnxValue) -> int | None:
    return None if value.axes is None else len(value.axes)


def _named(header: OnnxHeader, names: Iterable[str]) -> str | None:
    """The first of the names that is an input, whether a caller must give it or may."""
    return next((n for n in names if n in header.inputs or n in header.optional), None)


def _floats(values: Mapping[str, OnnxValue]) -> dict[str, OnnxValue]:
    return {name: value for name, value in values.items() if value.dtype in FLOATS}


# ---- voices -------------------------------------------------------------------------------------


def _voice(header: OnnxHeader) -> VoiceSignature | None:
    content = _named(header, _CONTENT) or _by_shape(header)
    if content is None or not header.outputs:
        return None
    found = {
        "lengths": _named(header, _LENGTHS),
        "pitch": _named(header, _BINS),
        "pitchf": _named(header, _HERTZ),
        "speaker": _named(header, _SPEAKER),
        "noise": _named(header, _NOISE),
        "source_noise": _named(header, _SOURCE_NOISE),
        "skip": _named(header, _SKIP),
        "returned": _named(header, _RETURNED),
        "formant": _named(header, _FORMANT),
    }
    scales = tuple(name for name in _SCALES if _named(header, [name]))
    known = {content, *filter(None, found.values()), *scales}
    if not header.inputs.keys() <= known or not (found["lengths"] or found["speaker"]):
        return None
    audio = "audio" if "audio" in header.outputs else next(iter(header.outputs))
    value = header.inputs.get(content)
    width = None if value is None else _size(value, 2)
    by_names = "w-okada's voice changer" if content == "feats" else "RVC's WebUI"
    if content == "feats" and found["skip"]:
        by_names = "deiteris' voice changer"
    return VoiceSignature(content, width, audio, _program(header, by_names), scales=scales, **found)


def _by_shape(header: OnnxHeader) -> str | None:
    """The one input of vectors over time, if there are several inputs."""
    found = [
        name
        for name, value in _floats(header.inputs).items()
        if _rank(value) == 3 and (_size(value, 2) or 0) > 1 and name not in _NOISE
    ]
    return found[0] if len(found) == 1 and len(header.inputs) > 2 else None


# ---- pitch models -------------------------------------------------------------------------------


def _pitch(header: OnnxHeader) -> PitchSignature | None:
    threshold = _named(header, _THRESHOLD)
    inputs = {k: v for k, v in _floats(header.inputs).items() if k != threshold}
    if len(inputs) != 1 or header.inputs.keys() - inputs.keys() - {threshold}:
        return None
    ((name, value),) = inputs.items()
    output = _pitch_output(header, threshold is not None)
    takes = _form(name, value)
    if output is None or takes is None:
        return None
    chosen, salience = output
    by_names = {"audio": "w-okada's voice changer", "frames": "deiteris' voice changer"}.get(takes)
    if by_names is None:
        by_names = "deiteris' voice changer" if threshold else "RVC's WebUI"
    return PitchSignature(name, takes, chosen, salience, threshold, _program(header, by_names))


def _pitch_output(header: OnnxHeader, thresholded: bool) -> tuple[str, bool] | None:
    """The output that is used, and whether it is salience."""
    outputs = _floats(header.outputs)
    for name, value in outputs.items():
        if name in _SALIENCE or _size(value, 2) == _PITCH_BINS:
            return name, True
    for name, value in outputs.items():
        if name in _HERTZ or (thresholded and _rank(value) in (1, 2, None)):
            return name, False
    return None


_PITCH_BINS = 360
"""Of CREPE and RMVPE."""


def _form(name: str, value: OnnxValue) -> Literal["audio", "mel", "frames"] | None:
    rank = _rank(value)
    if rank == 2 or (rank is None and name in _AUDIO):
        return "audio"
    if rank == 3 and _size(value, 1) == MELS:
        return "mel"
    if rank == 3 and _size(value, 2) == MELS:
        return "frames"
    return "mel" if name == "mel" or rank == 3 else None


# ---- content encoders ---------------------------------------------------------------------------


def _content(header: OnnxHeader) -> ContentSignature | None:
    inputs = _floats(header.inputs)
    if len(header.inputs) != 1 or len(inputs) != 1:
        return None
    ((name, value),) = inputs.items()
    rank = _rank(value)
    if rank not in (2, 3, None) or (rank is None and name not in _AUDIO):
        return None
    channels = rank == 3 or (rank is None and name == "source")
    if rank == 3 and _size(value, 1) not in (1, None):
        return None
    features = {
        output: _size(found, 2) or _USUAL_WIDTHS.get(output)
        for output, found in _floats(header.outputs).items()
        if _rank(found) in (3, None)
    }
    if not features:
        return None
    by_names = "RVC's WebUI" if channels else "w-okada's voice changer"
    if not channels and not features.keys() & _ENCODERS:
        by_names = "unknown"
    return ContentSignature(name, channels, features, _program(header, by_names))


_USUAL_WIDTHS = {"units9": 256, "unit12": 768}
