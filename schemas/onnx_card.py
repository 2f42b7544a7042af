"""The card of an ONNX file: what it is, what it takes and gives, and what it says of itself."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from .card import Card
from .encoder_card import RVC_FEATURES, Chosen, EncoderIdentity

Role = Literal["content-encoder", "voice", "pitch-model", "unknown"]
_NOUNS = {
    "content-encoder": "content encoder",
    "voice": "RVC voice",
    "pitch-model": "pitch model",
}


class OnnxCard(Card):
    """A network in an ONNX file."""

    kind: Literal["onnx-network"] = "onnx-network"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Always `onnx-network`."""
    role: Role
    """What the network is, by the names and shapes of its inputs and outputs."""
    named_as: str = Field(default="", max_length=200)
    """Whose names its inputs and outputs have; other programs load files of their own names."""
    node: str = Field(default="", max_length=40)
    """The node that runs it; empty if none does."""
    sample_rate: int | None = Field(default=None, gt=0)
    """Rate of the audio that a voice gives, or that the others take, in Hz; null if the file does
    not show it."""
    width: int | None = Field(default=None, ge=1)
    """Width of the content features that a voice takes; null if the file does not show it."""
    widths: dict[str, int | None] = Field(default_factory=dict)
    """Width of the features that each output of a content encoder gives."""
    layer: int | None = Field(default=None, ge=1, le=100)
    """Encoder layer of the features that a voice takes, if its metadata state it."""
    projected: bool | None = None
    """Whether these features pass the encoder's final projection, if its metadata state it."""
    f0: bool | None = None
    """Whether a voice takes pitch."""
    speakers: int | None = Field(default=None, ge=1)
    """Speakers of a voice; null if the file does not show it."""
    encoder: str = Field(default="", max_length=200)
    """The content encoder that a voice was trained on, by the name in its metadata."""
    trained_on: EncoderIdentity | None = None
    """The content encoder that a voice was trained on, if that is certain."""
    gives: EncoderIdentity | None = None
    """The content encoder that it is, if voicegraph exported it."""
    inputs: dict[str, str] = Field(default_factory=dict)
    """Type and shape of each input; sizes that vary have names."""
    optional_inputs: dict[str, str] = Field(default_factory=dict)
    """Inputs that have a default."""
    outputs: dict[str, str] = Field(default_factory=dict)
    """Type and shape of each output."""
    precision: str = Field(default="", max_length=40)
    """Type of its weights."""
    parameters: int = Field(ge=0)
    """Number of parameters."""
    operators: int = Field(ge=0)
    """Number of operators."""
    opset: int = Field(ge=0)
    """Version of ONNX's operators."""
    producer: str = Field(default="", max_length=200)
    """The program that wrote it."""
    random: int = Field(default=0, ge=0)
    """Operators that draw random numbers; the nodes feed them numbers of the pipeline's seed."""
    unrepeatable: tuple[str, ...] = ()
    """Operators whose random numbers nobody can feed: two runs differ."""
    stated: dict[str, str] = Field(default_factory=dict)
    """What its metadata state, by their own names."""

    @property
    def headline(self) -> str:
        """The card on one line, such as `RVC voice, 48000 Hz, with pitch, content of width 768`."""
        if self.role == "unknown":
            return f"takes {', '.join(self.inputs) or 'nothing'}, gives {', '.join(self.outputs)}"
        parts = [_NOUNS[self.role]]
        if self.role == "voice":
            parts.append(f"{self.sample_rate} Hz" if self.sample_rate else "rate not stated")
            parts.append("with pitch" if self.f0 else "without pitch")
            parts.append(f"content of width {self.width}" if self.width else "width not stated")
        if self.role == "content-encoder":
            widths = dict.fromkeys(str(width or "not stated") for width in self.widths.values())
            parts.append(f"width {' or '.join(widths)}")
        if self.named_as:
            parts.append(f"names of {self.named_as}")
        return ", ".join(parts)

    @property
    def unstated(self) -> dict[str, str]:
        """What a voice needs and its file does not show."""
        if self.role != "voice":
            return {}
        found = (
            {} if self.sample_rate else {"sample_rate": "not stated: `rate` of the node says it"}
        )
        if self.trained_on is None:
            name = f", except the name {self.encoder}" if self.encoder else ""
            found["trained_on"] = f"encoder not stated{name}"
        return found

    @property
    def features(self) -> Chosen | None:
        """The encoder's features that a voice takes; None if they are of no known width."""
        usual = RVC_FEATURES.get(self.width or 0)
        if usual is None:
            return None
        layer = usual.layer if self.layer is None else self.layer
        return Chosen(layer, usual.project if self.projected is None else self.projected)
