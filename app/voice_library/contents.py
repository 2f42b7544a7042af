"""What the given files are, by their contents, and which index belongs to which voice."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from voicegraph.graph.errors import Problem, VoicegraphError, WeightsError
from voicegraph.graph.files.models import Identified, identify
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.index_card import IndexCard
from voicegraph.schemas.onnx_card import OnnxCard
from voicegraph.schemas.source_filter_card import SourceFilterCard
from voicegraph.schemas.voice_card import VoiceCard
from voicegraph.schemas.voice_library import ModelKind, VoiceKind

from .sources import Material

_KINDS: Mapping[str, VoiceKind | ModelKind] = {
    "voice": "rvc",
    "source-filter-voice": "source_filter",
    "content-encoder": "content_encoder",
    "phonetic-encoder": "phonetic_encoder",
    "pitch-model": "pitch_model",
}
"""Kinds of model files, and of ONNX networks by their role -> kinds of the library."""
_NOISE = re.compile(r"(added|ivf\d+|flat|nprobe|trained|v[12]|e\d+|s\d+|\d+|index|model|best)")


@dataclass(frozen=True, slots=True)
class FoundModel:
    """A model that can be kept.

    Attributes:
        path: of the file or folder.
        shown: its name in messages.
        kind: of the library.
        found: what its header says.
    """

    path: Path
    shown: str
    kind: VoiceKind | ModelKind
    found: Identified

    @property
    def is_onnx(self) -> bool:
        """Whether it is an ONNX file, which stays as it is."""
        return isinstance(self.found.card, OnnxCard)

    @property
    def width(self) -> int | None:
        """Width of the content that a voice takes; None if it does not show it."""
        match self.found.card:
            case VoiceCard() as card:
                return card.dim
            case OnnxCard() as card:
                return card.width
            case SourceFilterCard() as card:
                return card.sizes.content
        return None

    @property
    def trained_on(self) -> EncoderIdentity | None:
        """The encoder that a voice states."""
        return getattr(self.found.card, "trained_on", None)


@dataclass(slots=True)
class Contents:
    """What was found.

    Attributes:
        voices: the voices.
        models: encoders and pitch models.
        indexes: indexes with vectors: path -> what its header says.
        left_out: name in messages -> why.
        pairs: voice -> its index.
        remarks: voice -> how it was paired.
    """

    voices: list[FoundModel] = field(default_factory=list)
    models: list[FoundModel] = field(default_factory=list)
    indexes: dict[Path, Identified] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)
    pairs: dict[Path, Path] = field(default_factory=dict)
    remarks: dict[Path, str] = field(default_factory=dict)


def identified(material: Material) -> Contents:
    """Reads the header of every file, and pairs voices with indexes.

    Raises:
        WeightsError: if a file that was given by name cannot be used, or none of all can.
    """
    contents = Contents()
    problems: dict[Path, VoicegraphError] = {}
    for path, shown in material.models.items():
        try:
            _sort_in(contents, path, shown, identify(path))
        except VoicegraphError as error:
            problems[path] = error
            contents.left_out[shown] = error.problems[0].message
    for path in material.named & problems.keys():
        raise problems[path]
    if not contents.voices and not contents.models:
        raise _nothing(contents, material)
    _pair(contents, material)
    return contents


def _sort_in(contents: Contents, path: Path, shown: str, found: Identified) -> None:
    """Notes what a file is.

    Raises:
        WeightsError: if it cannot be used.
    """
    card = found.card
    if found.kind is None or card is None:
        raise _unusable(path, shown, "a file of tensors, but of unknown kind")
    if card.unusable:
        raise _unusable(path, shown, f"{found.kind.noun}, but {card.unusable}")
    if isinstance(card, IndexCard):
        contents.indexes[path] = found
        return
    role = card.role if isinstance(card, OnnxCard) else found.kind.name
    if (kind := _KINDS.get(role)) is None:
        raise _unusable(path, shown, f"{found.kind.noun}, which no voice needs")
    model = FoundModel(path, shown, kind, found)
    (contents.voices if kind in ("rvc", "source_filter") else contents.models).append(model)


def _unusable(path: Path, shown: str, why: str) -> WeightsError:
    text = f"{shown}: {why}"
    return WeightsError(Problem("unusable-model", text, fix=f"voicegraph inspect {path}"))


def _nothing(contents: Contents, material: Material) -> WeightsError:
    if contents.indexes:
        shown = material.models[next(iter(contents.indexes))]
        text = f"{shown} is a retrieval index, and the voice that it belongs to is missing"
        fix = f"voicegraph voice add VOICE.pth {shown}"
        return WeightsError(Problem("voice-missing", text, fix=fix))
    notes = tuple((f"{why}", None) for why in contents.left_out.values())
    text = "there is no voice that can be used"
    fix = (
        "use the file that trainers extract (weights/NAME.pth), not a training checkpoint (G_*.pth)"
    )
    return WeightsError(Problem("no-voice-there", text, notes=notes[:8], fix=fix))


# ---- which index ----------------------------------------------------------------------------


def _pair(contents: Contents, material: Material) -> None:
    """Gives each voice the index that fits it by content; where several do, names decide."""
    for path, index in contents.indexes.items():
        fitting = [voice for voice in contents.voices if _fits(voice, index)]
        shown = material.models[path]
        if not fitting:
            card = index.card
            width = card.dimension if isinstance(card, IndexCard) else "?"
            contents.left_out[shown] = f"an index of width {width}, which fits none of the voices"
            continue
        near = _nearest(path, [voice.path for voice in fitting])
        if len(near) > 1:
            names = " and ".join(sorted(voice.name for voice in near))
            contents.left_out[shown] = f"an index that fits {names} alike, by content and by name"
            continue
        _assign(contents, near[0], path, shown, len(fitting))


def _assign(contents: Contents, voice: Path, index: Path, shown: str, fitting: int) -> None:
    """Gives an index to a voice, or leaves it out if the voice has a better one."""
    other = contents.pairs.get(voice)
    if other is None:
        contents.pairs[voice] = index
        if fitting > 1:
            contents.remarks[voice] = f"{index.name} fits {fitting} voices; names decided"
        return
    near = _nearest(voice, [other, index])
    decided = "its name"
    if len(near) > 1:
        near = sorted(near, key=lambda path: _vectors(contents.indexes[path]), reverse=True)
        decided = "its number of vectors"
    kept, lost = (index, other) if near[0] == index else (other, index)
    contents.pairs[voice] = kept
    text = f"an index that fits {voice.name}, too; {kept.name} was taken"
    contents.left_out[shown if lost == index else str(other)] = text
    contents.remarks[voice] = (
        f"several indexes fit it by content; {kept.name} was taken by {decided}"
    )


def _vectors(index: Identified) -> int:
    return index.card.vectors if isinstance(index.card, IndexCard) else 0


def _fits(voice: FoundModel, index: Identified) -> bool:
    """Whether width and encoder of an index are those of a voice, as far as both state them."""
    card = index.card
    if not isinstance(card, IndexCard) or voice.kind != "rvc":
        return False
    if voice.width is not None and voice.width != card.dimension:
        return False
    stated = voice.trained_on
    both = stated is not None and card.trained_on is not None
    return not both or stated.fingerprint == card.trained_on.fingerprint  # pyright: ignore[reportOptionalMemberAccess]


def _nearest(path: Path, others: list[Path]) -> list[Path]:
    """Those of ``others`` whose names have most in common with that of a path."""
    words = _words(path)
    score = {other: _likeness(words, _words(other), path, other) for other in others}
    best = max(score.values())
    return [other for other in others if score[other] == best]


def _likeness(one: frozenset[str], other: frozenset[str], path: Path, second: Path) -> float:
    common = len(one & other) / max(len(one | other), 1)
    return common + (0.01 if path.parent == second.parent else 0.0)


def _words(path: Path) -> frozenset[str]:
    """The words of a file's name, without what trainers put into it."""
    parts = re.split(r"[\W_]+", path.stem.lower())
    return frozenset(part for part in parts if part and not _NOISE.fullmatch(part))
