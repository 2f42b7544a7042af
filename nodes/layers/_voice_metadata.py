"""What an ONNX voice says of itself: w-okada's metadata, and what its graph shows.

The graph decides; metadata only add what it does not show, and a remark says where the two differ.
Source: the exporter of w-okada's voice-changer, versions 2, 2.1 and 2.2 of its metadata.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from voicegraph.graph.files.models import printable
from voicegraph.graph.files.onnx_files.header import OnnxHeader
from voicegraph.graph.files.onnx_files.signatures import VoiceSignature
from voicegraph.schemas.voice_card import FRAMES_HZ

_KEY = "metadata"
_SPEAKERS = "emb_g.weight"
_OLD_WIDTH, _OLD_RATE = 256, 48000
"""A voice of w-okada's first exporter, which wrote no metadata."""
_LOWEST, _HIGHEST = 8000, 192000
_TEXT = 200


@dataclass(frozen=True, slots=True)
class VoiceFacts:
    """Facts of a voice; None is unknown.

    Attributes:
        sample_rate: of its audio in Hz.
        width: of the features that it takes.
        layer: of the encoder.
        projected: whether the features pass the encoder's projection.
        speakers: their number.
        encoder: its name.
        remarks: what the metadata state and the graph contradicts.
    """

    sample_rate: int | None
    width: int | None
    layer: int | None
    projected: bool | None
    speakers: int | None
    encoder: str
    remarks: tuple[str, ...]


def voice_facts(header: OnnxHeader, signature: VoiceSignature) -> VoiceFacts:
    """The facts of a voice."""
    stated = _stated(header.metadata)
    rate, width = _integer(stated, "samplingRate"), _integer(stated, "embChannels")
    shown = header.upsampling * FRAMES_HZ
    shown_rate = shown if _LOWEST <= shown <= _HIGHEST else None
    remarks = [
        _differs("sampling rate", rate, shown_rate, "its decoder makes"),
        _differs("width of content", width, signature.width, "its input has"),
        _pitch_differs(stated, signature),
    ]
    speakers = header.tensors.get(_SPEAKERS)
    known_width = signature.width or width
    known_rate = shown_rate or rate
    if known_rate is None and not stated and known_width == _OLD_WIDTH:
        known_rate = _OLD_RATE
    layer = _integer(stated, "embOutputLayer")
    projected = stated.get("useFinalProj")
    return VoiceFacts(
        sample_rate=known_rate if known_rate and _LOWEST <= known_rate <= _HIGHEST else None,
        width=known_width,
        layer=layer if layer is not None and 1 <= layer <= 100 else None,
        projected=projected if isinstance(projected, bool) else None,
        speakers=speakers.dims[0] if speakers is not None and len(speakers.dims) == 2 else None,
        encoder=printable(str(stated.get("embedder", "")))[:_TEXT],
        remarks=tuple(filter(None, remarks)),
    )


def _stated(metadata: Mapping[str, str]) -> Mapping[str, Any]:
    try:
        found = json.loads(metadata.get(_KEY, ""))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _integer(stated: Mapping[str, Any], key: str) -> int | None:
    value = stated.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit():
        value = int(value[:9])
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


def _differs(what: str, stated: int | None, shown: int | None, who: str) -> str:
    if stated is None or shown is None or stated == shown:
        return ""
    return f"its metadata state the {what} {stated}; {who} {shown}"


def _pitch_differs(stated: Mapping[str, Any], signature: VoiceSignature) -> str:
    f0 = stated.get("f0")
    if f0 is None or bool(f0) is signature.f0:
        return ""
    takes = "an input" if signature.f0 else "no input"
    return f"its metadata state f0 {printable(str(f0))[:20]}; it has {takes} for pitch"
