"""The card of a voice: what its tensors show, and what trainers write beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from voicegraph.graph.files.models import TensorHeader, printable
from voicegraph.graph.files.models.plain_values import Plain
from voicegraph.schemas.encoder_card import RVC_FEATURES
from voicegraph.schemas.voice_card import VoiceCard, VoiceConfig

from ._voice_shapes import CONTENT, FOLDED, PITCH, SPEAKERS, Shapes, shown_vocoder

_HIFIGAN = ("hifigan", "nsfhifigan", "hifigannsf")
_VERSIONS: Mapping[int, Literal["v1", "v2"]] = {256: "v1", 768: "v2"}
_TEXT = 200
_INFO = 2000
_MOST_FACTS = 40
_READ = (
    *("weight", "config", "version", "f0", "info", "vocoder", "embedder_model", "embedder_name"),
    *("author", "embedder_output_layer"),
)
"""Keys with a field of their own in the card."""
_OTHER_ENCODERS = ("wavlm", "whisper", "xlsr", "w2vbert", "data2vec")
"""Parts of names of encoders with another architecture than HuBERT base."""
_YES, _NO = ("1", "1.0", "true", "yes"), ("0", "0.0", "false", "no")


def is_hifigan(vocoder: str) -> bool:
    """Whether a vocoder's name is one of HiFi-GAN's."""
    return "".join(filter(str.isalnum, vocoder.lower())) in _HIFIGAN


@dataclass(frozen=True, slots=True)
class VoiceFacts:
    """What the tensors of a voice show.

    Attributes:
        headers: of the tensors that are used, by name in the state dict.
        shapes: the same, weight norms folded.
    """

    headers: Mapping[str, TensorHeader]
    shapes: Shapes

    @property
    def width(self) -> int | None:
        """Width of the content features; None if the first layer is missing."""
        shape = self.shapes.get(CONTENT, ())
        return shape[1] if len(shape) == 2 and shape[1] else None

    @property
    def f0(self) -> bool:
        """Whether it takes pitch."""
        return any(name in self.shapes for name in PITCH)

    @property
    def speakers(self) -> int:
        """Speakers in the embedding, or in the biases that it is folded into; 0 without either."""
        shape = self.shapes.get(FOLDED if self.folded else SPEAKERS, ())
        return shape[0] if len(shape) == 2 and shape[1] else 0

    @property
    def folded(self) -> bool:
        """Whether norms and speakers are folded, as in exported networks."""
        return FOLDED in self.shapes

    def derived(self, like: VoiceCard, sizes: VoiceConfig) -> VoiceCard:
        """A card with everything that tensors show replaced."""
        shown = shown_vocoder(self.shapes)
        width = self.width or like.dim
        return like.model_copy(
            update={
                "version": _VERSIONS.get(width, "unknown"),
                "width": None if width in _VERSIONS else width,
                "f0": self.f0,
                "speakers": self.speakers,
                "config": sizes,
                # Of the voice as it was trained, which its card states where it is folded.
                "parameters": like.parameters
                if self.folded
                else sum(header.numel for header in self.headers.values()),
                "vocoder": like.vocoder if shown is None else shown,
            }
        )

    def card(
        self, path: Path, settings: Mapping[str, Plain], sizes: VoiceConfig, remarks: list[str]
    ) -> VoiceCard:
        """The card of a voice as a trainer or another program wrote it.

        Args:
            path: of the file.
            settings: what is stored beside the weights.
            sizes: of the networks.
            remarks: on what was read so far.
        """
        text = {key: stated for key, value in settings.items() if (stated := _text(value))}
        trained = {k[:_TEXT]: v[:_TEXT] for k, v in text.items() if k not in _READ}
        version = _stated_version(text.get("version"))
        stated = VoiceCard(
            title=text.get("model_name", "")[:_TEXT] or path.stem[:_TEXT],
            licence="",
            source=path.name,
            version="unknown" if version is None else version,
            f0=True,
            speakers=1,
            config=sizes,
            parameters=0,
            encoder=(text.get("embedder_model") or text.get("embedder_name", ""))[:_TEXT],
            vocoder=text.get("vocoder", "HiFi-GAN")[:_TEXT],
            info=text.get("info", "")[:_INFO],
            author=text.get("author", "")[:_TEXT],
            trained=dict(list(trained.items())[:_MOST_FACTS]),
        )
        card = self.derived(stated, sizes)
        more = [*remarks, *self._remarks(text, card)]
        layer = _other_layer(text.get("embedder_output_layer"), card.dim)
        return card.model_copy(
            update={"layer": layer, "remarks": tuple(printable(text) for text in more if text)}
        )

    def _remarks(self, text: Mapping[str, str], card: VoiceCard) -> list[str]:
        """What is stated of version, pitch and vocoder, and is contradicted or cannot be had."""
        found: list[str] = []
        version, f0, vocoder = text.get("version"), text.get("f0"), text.get("vocoder")
        if version is not None and _stated_version(version) != card.version:
            takes = f"its first layer takes content of width {card.dim}"
            is_what = "" if card.version == "unknown" else f": it is {card.version}"
            found.append(f"its version is {version[:40]}, but {takes}{is_what}")
        if f0 is not None and _stated_f0(f0) is not self.f0:
            has = "has the tensors" if self.f0 else "lacks the tensors"
            found.append(f"its f0 is {f0[:40]}, but it {has} of a voice with pitch")
        if vocoder is not None and card.vocoder != vocoder[:_TEXT]:
            decoder = f"its decoder has the tensors of {card.vocoder}"
            found.append(f"its vocoder is {vocoder[:40]}, but {decoder}")
        name = "".join(filter(str.isalnum, card.encoder.lower()))
        if any(other in name for other in _OTHER_ENCODERS):
            found.append(
                f"its trainer says that it takes features of {card.encoder[:40]}; the content "
                "encoders that can be used are of the HuBERT base architecture"
            )
        return found


def _text(value: Plain) -> str:
    """A value as text; empty for what is no single number or text."""
    value = value[0] if isinstance(value, list) and len(value) == 1 else value
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return str(int(value))
    return str(value).strip() if isinstance(value, (str, int, float)) else ""


def _stated_version(said: str | None) -> Literal["v1", "v2"] | None:
    """The version that a text such as ``v2``, ``V2`` or ``2.0`` states."""
    number = (said or "").lower().removeprefix("v").removesuffix(".0")
    return {"1": "v1", "2": "v2"}.get(number)  # pyright: ignore[reportReturnType]


def _stated_f0(said: str) -> bool | None:
    return True if said.lower() in _YES else False if said.lower() in _NO else None


def _other_layer(said: str | None, width: int) -> int | None:
    """The encoder layer of the features, if it is stated and not the usual one of their width."""
    usual = RVC_FEATURES.get(width)
    if usual is None or said is None or not said.isascii() or not said.isdigit():
        return None
    layer = int(said[:4])
    return layer if 1 <= layer <= 64 and layer != usual.layer else None
