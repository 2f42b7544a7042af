"""The card of an RVC voice: network sizes, and facts that its trainer recorded."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from .encoder_card import RVC_FEATURES, Chosen, TrainedCard
from .voice_register import VoiceRegister

FRAMES_HZ = 100
"""Frames a second of every voice: 10 ms each."""
_RATE = re.compile(r"([0-9]{1,6}(?:\.[0-9]{1,6})?) ?(k?)(?:hz)?")


def parse_rate(value: Any) -> Any:
    """``"40k"``, ``"44.1 kHz"`` and ``"40000"`` as Hz; anything else as it is."""
    match = _RATE.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if match is None:
        return value
    rate = float(match[1]) * (1000 if match[2] else 1)
    return round(rate) if math.isclose(rate, round(rate)) else rate


def parse_kind(value: Any) -> Any:
    """The number of a kind of blocks as text: ``1`` and ``1.0`` are ``"1"``."""
    whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
    return str(int(value)) if whole else value


Channels = Annotated[int, Field(ge=1, le=8192)]
Kernel = Annotated[int, Field(ge=1, le=255)]
Rates = Annotated[
    tuple[Annotated[int, Field(ge=1, le=4096)], ...], Field(min_length=1, max_length=8)
]
Kernels = Annotated[tuple[Kernel, ...], Field(min_length=1, max_length=8)]
Dilations = Annotated[tuple[Kernels, ...], Field(min_length=1, max_length=8)]
BlockKind = Annotated[Literal["1", "2"], BeforeValidator(parse_kind)]
SampleRate = Annotated[int, BeforeValidator(parse_rate), Field(ge=8000, le=192000)]


class VoiceConfig(BaseModel):
    """The 18 entries of a voice's ``config`` list, in its order.

    Sizes are bounded: the list is a stranger's, and memory is taken by it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

    spec_channels: int = Field(ge=1, le=65536)
    """Bins of the spectrogram in training; unused."""
    segment_size: int = Field(ge=0)
    """Frames of a training example; unused."""
    inter_channels: Channels
    """Channels of the latents; even."""
    hidden_channels: Channels
    """Channels inside the text encoder and the flow."""
    filter_channels: Channels
    """Channels inside the text encoder's feed-forward layers."""
    n_heads: int = Field(ge=1, le=64)
    """Attention heads."""
    n_layers: int = Field(ge=1, le=64)
    """Layers of the text encoder."""
    kernel_size: Kernel
    """Kernel of the feed-forward layers."""
    p_dropout: float = Field(ge=0, le=1, allow_inf_nan=False)
    """Dropout in training; unused."""
    resblock: BlockKind
    """Kind of the decoder's residual blocks."""
    resblock_kernel_sizes: Kernels
    """Kernels of the residual blocks, one block each a stage; odd."""
    resblock_dilation_sizes: Dilations
    """Dilations in each of them."""
    upsample_rates: Rates
    """Upsampling of each stage; their product is the samples of a frame."""
    upsample_initial_channel: Channels
    """Channels before the first stage; every stage halves them."""
    upsample_kernel_sizes: Kernels
    """Kernels of the stages."""
    spk_embed_dim: int = Field(ge=0)
    """Speakers as trained; the embedding's own size counts."""
    gin_channels: Channels
    """Width of the speaker embedding."""
    sample_rate: SampleRate
    """Samples a second."""

    @classmethod
    def from_list(cls, values: Sequence[Any]) -> VoiceConfig:
        """From the list in a voice file.

        Raises:
            ValueError: if it has not 18 entries or one of them does not fit.
        """
        names = list(cls.model_fields)
        if len(values) != len(names):
            raise ValueError(f"config has {len(values)} entries; a voice has {len(names)}")
        return cls.model_validate(dict(zip(names, values, strict=True)))

    @model_validator(mode="after")
    def _fits(self) -> VoiceConfig:
        """Checks constraints between the numbers."""
        stages, samples = len(self.upsample_rates), math.prod(self.upsample_rates)
        for what, wrong in {
            f"inter_channels must be even, found {self.inter_channels}": self.inter_channels % 2,
            f"{self.hidden_channels} hidden_channels cannot be divided by {self.n_heads} heads": (
                self.hidden_channels % self.n_heads
            ),
            "resblock_kernel_sizes must be odd": any(
                k % 2 == 0 for k in self.resblock_kernel_sizes
            ),
            "resblock_kernel_sizes and resblock_dilation_sizes differ in length": (
                len(self.resblock_kernel_sizes) != len(self.resblock_dilation_sizes)
            ),
            "upsample_rates and upsample_kernel_sizes differ in length": (
                stages != len(self.upsample_kernel_sizes)
            ),
            f"upsample_initial_channel {self.upsample_initial_channel} cannot be halved "
            f"{stages} times": self.upsample_initial_channel % 2**stages,
            "an upsample kernel must be its rate, longer than it by an even number, or twice an "
            f"odd rate; found kernels {_listed(self.upsample_kernel_sizes)} for rates "
            f"{_listed(self.upsample_rates)}": any(
                k < r or ((k - r) % 2 and k != 2 * r)
                for r, k in zip(self.upsample_rates, self.upsample_kernel_sizes, strict=False)
            ),
            f"upsample_rates give {samples} samples per frame, but 10 ms at {self.sample_rate} Hz "
            f"are {self.sample_rate / FRAMES_HZ:g}": samples * FRAMES_HZ != self.sample_rate,
        }.items():
            if wrong:
                raise ValueError(what)
        return self


def _listed(values: Sequence[int]) -> str:
    return " ".join(map(str, values))


class VoiceCard(TrainedCard):
    """An RVC voice."""

    told: ClassVar[tuple[str, ...]] = (*TrainedCard.told, "pitch")

    kind: Literal["voice"] = "voice"  # pyright: ignore[reportIncompatibleVariableOverride]
    """Kind of the file."""
    version: Literal["v1", "v2", "unknown"]
    """v1 takes content of width 256, v2 of 768."""
    width: int | None = Field(default=None, ge=1)
    """Width of the content it takes, if it is of neither version."""
    layer: int | None = Field(default=None, ge=1, le=64)
    """Encoder layer of its features, if its file states another one than the version's."""
    f0: bool
    """Whether it takes pitch."""
    speakers: int = Field(ge=1)
    """Speakers in the embedding; the first is 0."""
    config: VoiceConfig
    """Sizes of its networks."""
    parameters: int = Field(ge=0)
    """Number of parameters that are used."""
    encoder: str = Field("", max_length=200)
    """The content encoder it was trained on, by the name that the trainer recorded. Not proof: one
    encoder has many names."""
    vocoder: str = Field("HiFi-GAN", max_length=200)
    """The decoder it was trained with; only HiFi-GAN can be used."""
    info: str = Field("", max_length=2000)
    """The trainer's remark on the training, such as `200epoch`."""
    author: str = Field("", max_length=200)
    """Who trained it, if the file says so."""
    trained: dict[str, str] = Field(default_factory=dict)
    """Other facts in the file, by the trainer's own names."""
    pitch: VoiceRegister | None = None
    """The pitch that it speaks with, if it was measured: no trainer records it."""

    def stored(self) -> str:
        """As in the base class; without ``pitch`` if it is not known, for versions before it."""
        text = super().stored()
        if self.pitch is not None:
            return text
        return json.dumps({k: v for k, v in json.loads(text).items() if k != "pitch"})

    @property
    def headline(self) -> str:
        """The card on one line, such as `v2, with pitch, 48000 Hz, 109 speakers`."""
        pitch = "with pitch" if self.f0 else "without pitch"
        speakers = "one speaker" if self.speakers == 1 else f"{self.speakers} speakers"
        version = self.version if self.width is None else f"content of width {self.width}"
        return f"{version}, {pitch}, {self.rate} Hz, {speakers}"

    @property
    def content_width(self) -> int:
        """The same as ``dim``."""
        return self.dim

    @property
    def unstated(self) -> dict[str, str]:
        """As in the base class, with the trainer's name for the encoder, if there is one."""
        found = super().unstated
        if found and self.encoder:
            return {key: f"{text}, except the name {self.encoder}" for key, text in found.items()}
        return found

    @property
    def dim(self) -> int:
        """Width of the content it takes."""
        return self.width or (256 if self.version == "v1" else 768)

    @property
    def features(self) -> Chosen | None:
        """The encoder's features that it takes; None if they are of no known width."""
        usual = RVC_FEATURES.get(self.dim)
        return usual if usual is None or self.layer is None else usual._replace(layer=self.layer)

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self.config.sample_rate
