"""Changes what is said of an entry: title, licence, picture, encoder, settings, pitch."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.atomic_write import atomic_write
from voicegraph.graph.files.models import identify
from voicegraph.graph.files.voice_library import LibraryEntry, entries, require
from voicegraph.graph.regular_file import open_regular
from voicegraph.schemas.voice_library import AddReport, LibraryCard, VoiceSettings

from .add import report
from .encoder_choice import with_choice
from .making import converted, kept_file
from .picture import MOST_BYTES, picture_facts
from .register import measured_register
from .storage import change, keep, refuse_bundled, workplace


@dataclass(frozen=True, slots=True)
class EditRequest:
    """What is changed; None leaves it.

    Attributes:
        title: its name for people.
        licence: terms of use.
        author: who made it.
        description: what is said about it.
        picture: its picture.
        encoder: name of the encoder in the library that a voice takes.
        settings: that fit a voice; those that are None stay.
        sample: a recording of the voice, on which its pitch is measured.
    """

    title: str | None = None
    licence: str | None = None
    author: str | None = None
    description: str | None = None
    picture: Path | None = None
    encoder: str | None = None
    settings: VoiceSettings = field(default_factory=VoiceSettings)
    sample: Path | None = None


def edit(name: str, request: EditRequest) -> AddReport:
    """Changes what is said of an entry.

    Raises:
        InputError: if there is no such entry, or something does not fit it.
        OutputError: if it is bundled, or the library cannot be written.
    """
    entry = require(name)
    update: dict[str, Any] = {
        key: value
        for key in ("title", "licence", "author", "description")
        if (value := getattr(request, key)) is not None
    }
    if request.encoder is not None:
        update["encoder"] = _encoder(entry, request.encoder)
    settings = request.settings.model_dump(exclude_none=True)
    changed = _changing(update, settings)
    if request.sample is None:
        change(entry.name, changed)
    else:
        _measure(entry, request.sample, changed)
    if request.picture is not None:
        with open_regular(request.picture) as file:
            set_picture(entry.name, file.read(MOST_BYTES + 1), str(request.picture))
    return report([entry.name], {}, {})


def _measure(
    entry: LibraryEntry, sample: Path, changed: Callable[[LibraryCard], LibraryCard]
) -> None:
    """Measures the pitch of a voice, and writes it into its file and its card.

    Raises:
        InputError: if it cannot be measured.
        OutputError: if the entry is bundled, or the library cannot be written.
    """
    refuse_bundled(entry, "is not changed")
    pitch = measured_register(sample)
    with workplace() as place:
        made = place / "made"
        shutil.copytree(entry.folder, made)
        card = changed(entry.card).model_copy(update={"pitch": pitch})
        if entry.card.kind == "rvc" and entry.card.form == "safetensors":
            target = made / entry.card.model.file
            target.unlink()
            converted(identify(entry.model_file), target, pitch)
            kept = kept_file(target, made, entry.card.model.was)
            card = card.model_copy(update={"model": kept})
        keep(card, made, True, f"voicegraph voice edit {entry.name}")


def set_picture(name: str, data: bytes, shown: str = "the picture") -> LibraryEntry:
    """Gives an entry another picture.

    Args:
        name: of the entry.
        data: a PNG, JPEG, WebP or GIF.
        shown: name of its file in messages.

    Raises:
        InputError: if it is no such picture, or there is no such entry.
        OutputError: if the entry is bundled, or the library cannot be written.
    """
    facts = picture_facts(data, shown)

    def changed(card: LibraryCard) -> LibraryCard:
        folder = require(name).folder
        target = folder / f"{card.name}-{secrets.token_hex(4)}{facts.ending}"
        with atomic_write(target) as temporary:
            temporary.write_bytes(data)
        kept = kept_file(target, folder, shown)
        return card.model_copy(update={"picture": kept, "picture_type": facts.type})

    before = require(name)
    after = change(name, changed)
    if before.picture_file is not None and before.picture_file != after.picture_file:
        before.picture_file.unlink(missing_ok=True)
    return after


def _changing(
    update: dict[str, Any], settings: dict[str, Any]
) -> Callable[[LibraryCard], LibraryCard]:
    def changed(card: LibraryCard) -> LibraryCard:
        merged = card.settings.model_copy(update=settings)
        values = {**card.model_dump(), **update, "settings": merged}
        return LibraryCard.model_validate(values)

    return changed


def _encoder(entry: LibraryEntry, name: str) -> Any:
    """The encoder of a voice, chosen by the user.

    Raises:
        InputError: if the entry takes none, or not this one.
    """
    wanted = entry.card.encoder
    if wanted is None:
        text = f"{entry.name} of the library takes no content encoder"
        raise InputError(Problem("no-encoder", text, fix="voicegraph voice show " + entry.name))
    return with_choice(wanted, entries(), name)
