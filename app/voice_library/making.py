"""Makes the files and the card of one entry, in a folder that is not yet in the library."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.file_contents import read_content
from voicegraph.graph.files.models import Identified, identify
from voicegraph.graph.files.models.conversion import write
from voicegraph.graph.files.voice_library import entries, require
from voicegraph.graph.files.voice_library.bundled import bundled_files, register_of
from voicegraph.graph.regular_file import open_regular
from voicegraph.schemas.card import Card
from voicegraph.schemas.encoder_card import EncoderCard
from voicegraph.schemas.onnx_card import OnnxCard
from voicegraph.schemas.source_filter_card import SourceFilterCard
from voicegraph.schemas.voice_card import VoiceCard
from voicegraph.schemas.voice_library import KeptFile, LibraryCard, VoiceSettings, WantedEncoder
from voicegraph.schemas.voice_register import VoiceRegister

from .contents import FoundModel
from .encoder_choice import wanted_encoder, with_choice
from .picture import MOST_BYTES, picture_facts


@dataclass(frozen=True, slots=True)
class CardWords:
    """What is said of an entry, beside what its file shows."""

    name: str
    title: str
    licence: str = ""
    author: str = ""
    description: str = ""
    picture: Path | None = None
    encoder: str | None = None
    settings: VoiceSettings = field(default_factory=VoiceSettings)
    sample: Path | None = None
    remarks: tuple[str, ...] = ()


def make_entry(model: FoundModel, index: Path | None, words: CardWords, made: Path) -> LibraryCard:
    """Converts a model and its index into a folder; its card.

    Args:
        model: what is kept.
        index: of a voice; None without one.
        words: what is said of it.
        made: an empty folder.

    Raises:
        WeightsError: if a file cannot be read to its end.
        InputError: if the sample or the encoder does not fit.
    """
    encoder = _encoder(model, words)
    pitch = _pitch(model, words)
    kept = _kept_model(model, words.name, pitch, made)
    own: Card | None = model.found.card
    facts: dict[str, object] = {
        "encoder": encoder,
        "pitch": pitch,
        "index": None if index is None else _kept_index(index, words.name, made),
    }
    match own:
        case VoiceCard():
            version = None if own.version == "unknown" else own.version
            facts |= {"version": version, "f0": own.f0, "speakers": own.speakers}
            facts |= {"rate_hz": own.rate}
        case OnnxCard():
            facts |= {"rate_hz": own.sample_rate, "speakers": own.speakers, "form": "onnx"}
            facts |= {"f0": own.f0 is not False}
            facts |= {"widths": tuple(sorted({w for w in own.widths.values() if w}))}
            facts |= {"fingerprint": own.gives.fingerprint if own.gives else None}
        case SourceFilterCard():
            facts |= {"rate_hz": own.sizes.sample_rate, "speakers": 1}
        case _:
            facts |= _encoder_facts(own)
    return LibraryCard.model_validate(
        {
            "name": words.name,
            "title": words.title,
            "kind": model.kind,
            "description": words.description or getattr(own, "description", "")[:4000],
            "author": words.author or getattr(own, "author", ""),
            "licence": words.licence or getattr(own, "licence", ""),
            "source": model.shown[:2000],
            "added": datetime.now(UTC).isoformat(timespec="seconds"),
            "model": kept,
            "settings": words.settings,
            "remarks": (*words.remarks, *getattr(own, "remarks", ())),
            **facts,
            **_picture(words, made),
        }
    )


def kept_file(path: Path, folder: Path, was: str) -> KeptFile:
    """A file of the library, as its card names it."""
    content = read_content(path)
    if content is None:
        raise InputError(Problem("unreadable-file", f"{path} cannot be read", fix="try again"))
    name = path.relative_to(folder).as_posix()
    return KeptFile(file=name, bytes=content.size, sha256=content.sha256, was=was[:400])


# ---- files ----------------------------------------------------------------------------------


def _kept_model(model: FoundModel, name: str, pitch: VoiceRegister | None, made: Path) -> KeptFile:
    """Copies an ONNX file as it is, and converts others."""
    if model.is_onnx:
        target = made / f"{name}.onnx"
        shutil.copyfile(model.path, target)
        identify(target)  # what was copied is what was checked
        return kept_file(target, made, model.shown)
    target = made / f"{name}.safetensors"
    converted(model.found, target, pitch)
    return kept_file(target, made, model.shown)


def _kept_index(index: Path, name: str, made: Path) -> KeptFile:
    target = made / f"{name}.index.safetensors"
    converted(identify(index), target, None)
    return kept_file(target, made, index.name)


def converted(found: Identified, target: Path, pitch: VoiceRegister | None) -> None:
    """Writes a model as safetensors, read back and compared; converted ones are written anew.

    Args:
        found: the model.
        target: the file to write.
        pitch: of an RVC voice, for the card in its header.

    Raises:
        WeightsError: if a tensor cannot be read.
        OutputError: if it cannot be written.
    """
    assert found.kind is not None
    tensors, card = found.kind.convert(found.path, found.archive)
    stated = found.card or card
    told = {name: getattr(stated, name) for name in stated.told}
    card = card.model_copy(update=told)
    if pitch is not None and isinstance(card, VoiceCard):
        card = card.model_copy(update={"pitch": pitch})
    write(tensors, card, target, force=False)


def _picture(words: CardWords, made: Path) -> dict[str, object]:
    """The picture as a file of the entry; a remark if what lies beside the voice is none."""
    if words.picture is None:
        return {}
    with open_regular(words.picture) as file:
        data = file.read(MOST_BYTES + 1)
    try:
        facts = picture_facts(data, str(words.picture))
    except InputError as error:
        text = error.problems[0].message.removeprefix(f"{words.picture} ")
        return {"remarks": (*words.remarks, f"{words.picture.name} {text}")}
    target = made / f"{words.name}{facts.ending}"
    target.write_bytes(data)
    return {
        "picture": kept_file(target, made, words.picture.name),
        "picture_type": facts.type,
    }


# ---- facts ----------------------------------------------------------------------------------


def _encoder(model: FoundModel, words: CardWords) -> WantedEncoder | None:
    """The encoder that a voice takes; of source-filter voices mostly the one that comes along."""
    if (wanted := wanted_encoder(model)) is None:
        return None
    if wanted.asset == "phonetic" and wanted.fingerprint in _bundled_encoders():
        return wanted.model_copy(update={"chosen_by": "bundled"})
    return with_choice(wanted, entries(), words.encoder)


def _bundled_encoders() -> set[str | None]:
    """Fingerprints of the encoders on which the bundled voices were trained, and None."""
    wanted = (require(name).card.encoder for name in bundled_files())
    return {None, *(encoder.fingerprint for encoder in wanted if encoder is not None)}


def _encoder_facts(card: Card | None) -> dict[str, object]:
    if isinstance(card, EncoderCard):
        widths = tuple(sorted({card.hidden, *filter(None, (card.projection,))}))
        return {"widths": widths, "fingerprint": card.fingerprint}
    fingerprint = getattr(card, "fingerprint", None)
    return {} if fingerprint is None else {"fingerprint": fingerprint}


def _pitch(model: FoundModel, words: CardWords) -> VoiceRegister | None:
    """The pitch of a voice: measured on a sample, or as its file says."""
    card = model.found.card
    if words.sample is not None and model.kind in ("rvc", "source_filter"):
        from .register import measured_register

        return measured_register(words.sample)
    if isinstance(card, SourceFilterCard):
        return register_of(card)
    return card.pitch if isinstance(card, VoiceCard) else None
