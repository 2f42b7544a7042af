"""The content features that a voice takes, read from the voice's file."""

from __future__ import annotations

from pathlib import Path

from voicegraph.graph.files.models import kinds
from voicegraph.graph.files.models.wrong_kind import open_expected, wrong_kind
from voicegraph.nodes.layers.onnx_file import OnnxFile
from voicegraph.schemas.encoder_card import Chosen
from voicegraph.schemas.onnx_card import OnnxCard
from voicegraph.schemas.voice_card import VoiceCard

_VOICE, _NOUN = "voice", "an RVC voice"
_FIX = "name an RVC voice there, a .pth, .safetensors or .onnx file"


def features_of(path: Path) -> Chosen | None:
    """Layer and projection; None if the voice takes features of no known width.

    Raises:
        WeightsError: if the file is something else, or damaged.
    """
    if (found := OnnxFile.recognise(path, None)) is not None:
        card = found.describe()
    else:
        archive = open_expected(path, _NOUN, _FIX)
        kind = next(kind for kind in kinds() if kind.name == _VOICE)
        card = kind.card(path, archive)
    if isinstance(card, VoiceCard) or (isinstance(card, OnnxCard) and card.role == "voice"):
        return card.features
    raise wrong_kind(path, _NOUN, _FIX)
