"""ONNX files as model files: their cards, for ``inspect`` and for the nodes that run them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import ValidationError

from voicegraph.graph import Problem
from voicegraph.graph.files.models import Archive, ModelFile, WeightsError, printable
from voicegraph.graph.files.models.wrong_kind import wrong_kind
from voicegraph.graph.files.onnx_files.header import OnnxHeader, is_onnx, read_header
from voicegraph.graph.files.onnx_files.random_inputs import drawings, unrepeatable
from voicegraph.graph.files.onnx_files.signatures import (
    ContentSignature,
    PitchSignature,
    Signature,
    VoiceSignature,
    signature_of,
)
from voicegraph.nodes.layers._voice_metadata import VoiceFacts, voice_facts
from voicegraph.schemas.encoder_card import Chosen, EncoderCard, EncoderIdentity
from voicegraph.schemas.onnx_card import OnnxCard, Role
from voicegraph.schemas.voice_card import VoiceCard

NOUN = "an ONNX network"
NODES: Mapping[type[Signature], tuple[Role, str, str]] = {
    ContentSignature: ("content-encoder", "content.onnx", "a content encoder as an ONNX file"),
    VoiceSignature: ("voice", "synth.onnx", "an RVC voice as an ONNX file"),
    PitchSignature: ("pitch-model", "f0.onnx", "a pitch model as an ONNX file"),
}
"""Role, node and noun of each kind of network."""
_MODEL_KEY = "voicegraph_model"
"""Key of the card of the model file that an exported network was made of."""
_EXPORT_KEY = "voicegraph"
"""Key of the card of an exported network."""
_RATE = 16000
"""Rate of the audio that encoders and pitch models take."""
_TEXT = 200
_MOST_TEXTS = 40
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class OnnxFile(ModelFile):
    """A network in an ONNX file.

    Attributes:
        header: of the file.
        signature: what it is; None if its inputs and outputs are of no known network.
    """

    name = "onnx-network"
    noun = NOUN
    broken_code = "damaged-file"
    broken_fix = "download or copy the file again"

    header: OnnxHeader
    signature: Signature | None

    @classmethod
    def recognise(cls, path: Path, archive: Archive | None) -> OnnxFile | None:
        """The network, by its header alone.

        Raises:
            WeightsError: if it is damaged, or no runtime should see it.
        """
        if archive is not None or not is_onnx(path):
            return None
        header = read_header(path)
        return cls(header, signature_of(header))

    def describe(self) -> OnnxCard:
        """What the file shows and says."""
        header, known = self.header, NODES.get(type(self.signature))  # pyright: ignore[reportArgumentType]
        role, node, _ = known or ("unknown", "", "")
        card = OnnxCard(
            title=printable(header.path.stem)[:_TEXT],
            source=printable(header.path.name)[:_TEXT],
            role=role,
            named_as=self.signature.program if self.signature else "",
            node=node,
            sample_rate=_RATE if role in ("content-encoder", "pitch-model") else None,
            inputs=_shown(header.inputs),
            optional_inputs=_shown(_callers(header)),
            outputs=_shown(header.outputs),
            precision=header.dtype,
            parameters=header.parameters,
            operators=len(header.graph.operators),
            opset=header.opset,
            producer=printable(header.producer)[:_TEXT],
            random=len(drawings(header)),
            unrepeatable=unrepeatable(header),
            stated=_stated(header.metadata),
        )
        return card.model_copy(update=self._facts())

    def tensors(self) -> dict[str, torch.Tensor]:
        """An ONNX file holds a graph, and not only tensors.

        Raises:
            WeightsError: always.
        """
        text = f"{self.header.path} is {NOUN}: a graph, which safetensors cannot hold"
        fix = "use it as it is, or convert the file that it was made of"
        raise WeightsError(Problem("not-convertible", text, fix=fix))

    def _facts(self) -> dict[str, Any]:
        """What depends on the role."""
        signature = self.signature
        if isinstance(signature, ContentSignature):
            return {"widths": dict(signature.features), "gives": encoder_identity(self.header)}
        if not isinstance(signature, VoiceSignature):
            return {}
        found: VoiceFacts = voice_facts(self.header, signature)
        model = _model_card(self.header, VoiceCard)
        return {
            "sample_rate": found.sample_rate,
            "width": found.width,
            "layer": found.layer,
            "projected": found.projected,
            "f0": signature.f0,
            "speakers": found.speakers,
            "encoder": found.encoder,
            "trained_on": model.trained_on if isinstance(model, VoiceCard) else None,
            "remarks": found.remarks,
        }


def encoder_identity(header: OnnxHeader) -> EncoderIdentity | None:
    """The content encoder that a file of ``voicegraph export`` is; None if it does not say so."""
    card = _model_card(header, EncoderCard)
    return card.identity() if isinstance(card, EncoderCard) else None


def stated_features(header: OnnxHeader) -> Chosen | None:
    """The features that a file of ``voicegraph export`` with one output gives, if it says so."""
    try:
        params = json.loads(header.metadata.get(_EXPORT_KEY, ""))["params"]
        layer, project = params["layer"], params["project"]
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    if not isinstance(layer, int) or not isinstance(project, bool) or not 1 <= layer <= 100:
        return None
    return Chosen(layer, project)


def _model_card(
    header: OnnxHeader, kind: type[EncoderCard] | type[VoiceCard]
) -> EncoderCard | VoiceCard | None:
    """The card of the model file that it was made of, as the file states it."""
    try:
        return kind.model_validate_json(header.metadata.get(_MODEL_KEY, ""))
    except ValidationError:
        return None


def open_onnx(path: Path, kind: type[Signature], fix: str) -> OnnxFile:
    """Reads the header of an ONNX file that must be a network of this kind.

    Args:
        path: of the file.
        kind: the class of its signature.
        fix: what to type if it is something else.

    Raises:
        WeightsError: if it is another kind of file or network, damaged, or no runtime should see
            it.
    """
    noun = NODES[kind][2]
    found = OnnxFile.recognise(path, None)
    if found is None:
        raise wrong_kind(path, noun, fix)
    if not isinstance(found.signature, kind):
        card = found.describe()
        is_what = f"is {NOUN}" if card.role == "unknown" else f"is an ONNX {card.headline}"
        text = f"{path} {is_what}, but {noun} is expected"
        notes = tuple((f"it {verb} {_line(values)}", None) for verb, values in _ends(card))
        raise WeightsError(Problem("wrong-kind", text, notes=notes, fix=fix))
    return found


def own_random_numbers(header: OnnxHeader) -> tuple[str, ...]:
    """Why two runs of a network may differ, as ``Node.unrepeatable`` gives it."""
    if not (operators := unrepeatable(header)):
        return ()
    name = printable(header.path.name)[:_SHOWN]
    return (f"{name} draws random numbers itself ({', '.join(operators)}), without a seed",)


def use_instead(path: Path, name: str, use: str, fix: str) -> str:
    """What to type if a file is of the wrong kind: for an ONNX file, the node that runs it.

    Args:
        path: of the file.
        name: of the node that was given it.
        use: the node for ONNX files.
        fix: what to type for any other file.
    """
    return f"--set nodes.{name or 'NAME'}.use={use}" if is_onnx(path) else fix


def _ends(card: OnnxCard) -> tuple[tuple[str, Mapping[str, str]], ...]:
    return ("takes", card.inputs), ("gives", card.outputs)


def _line(values: Mapping[str, str]) -> str:
    return "; ".join(f"{name} {kind}" for name, kind in list(values.items())[:12])


def _shown(values: Mapping[str, object]) -> dict[str, str]:
    listed = list(values.items())[:_MOST_TEXTS]
    return {printable(name)[:_SHOWN]: printable(str(value))[:_TEXT] for name, value in listed}


def _callers(header: OnnxHeader) -> Mapping[str, object]:
    """Inputs with a default; old exporters list all weights among them, which are not meant."""
    small = {name for name, tensor in header.tensors.items() if tensor.count <= 1}
    noise = {"rnd", "source_noise"}
    return {k: v for k, v in header.optional.items() if k in small or k in noise}


def _stated(metadata: Mapping[str, str]) -> dict[str, str]:
    """Metadata as text, w-okada's JSON by its own keys."""
    found: dict[str, str] = {}
    for key, text in metadata.items():
        try:
            held = json.loads(text) if key == "metadata" else None
        except (ValueError, RecursionError):
            held = None
        entries = held if isinstance(held, dict) else {key: text}
        for name, value in entries.items():
            if len(found) < _MOST_TEXTS and name not in (_MODEL_KEY, _EXPORT_KEY):
                found[printable(str(name))[:_SHOWN]] = printable(str(value))[:_TEXT]
    return found


KIND = OnnxFile.kind()
"""For ``voicegraph inspect`` and ``convert``."""
