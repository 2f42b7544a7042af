"""Adds voices, encoders and pitch models to the library."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.voice_library import (
    entries,
    item_of,
    library_folder,
    name_problem,
    require,
    slug,
)
from voicegraph.schemas.voice_library import AddReport, LeftOut, VoiceSettings

from .adoption import adopt
from .companions import Companions, read_companions
from .contents import Contents, FoundModel, identified
from .making import CardWords, make_entry
from .sources import Material, gather
from .storage import keep, require_free, workplace

_TRAINED = re.compile(r"[_\- ]+(e\d+|s\d+|\d+e|\d+s|epoch\d*|v[12]|rvc)(?=[_\- ]|$)", re.I)
"""What trainers append to the name of a voice: epochs, steps, version."""
_MEANINGLESS = re.compile(r"(model|voice|weights?|g|final|best|rvc|\d+)?", re.I)
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class AddRequest:
    """How something is added.

    Attributes:
        name: of the entry; None takes it from the files.
        title: its name for people; None takes it from the files.
        licence: terms of use; None takes what lies beside it.
        author: who made it; None takes what lies beside it.
        description: likewise.
        picture: its picture; None takes what lies beside it.
        encoder: name of the encoder in the library that a voice takes; None finds it.
        settings: that fit a voice; they take precedence over those that lie beside it.
        sample: a recording of the voice, on which its pitch is measured.
        force: replace an entry of the same name.
    """

    name: str | None = None
    title: str | None = None
    licence: str | None = None
    author: str | None = None
    description: str | None = None
    picture: Path | None = None
    encoder: str | None = None
    settings: VoiceSettings = field(default_factory=VoiceSettings)
    sample: Path | None = None
    force: bool = False


def add(
    sources: Sequence[Path], request: AddRequest | None = None, tell: Tell = lambda _: None
) -> AddReport:
    """Adds what files, archives and folders hold.

    Voice and index are paired by content, the encoder that a voice takes is looked up among those
    of the library, and everything is converted to safetensors, except ONNX files.

    Args:
        sources: files (.pth, .safetensors, .onnx, .index), zips and folders, added together.
        request: how; by default everything is taken from the files.
        tell: gets a line for each step.

    Raises:
        InputError: if nothing can be added, or an archive is damaged or hostile.
        OutputError: if the name is taken, or the library cannot be written.
    """
    request = request or AddRequest()
    command = f"voicegraph voice add {' '.join(shlex.quote(str(source)) for source in sources)}"
    if request.name is not None and (problem := name_problem(request.name)) is not None:
        raise InputError(problem)
    with workplace() as place:
        unpacked = place / "unpacked"
        unpacked.mkdir()
        material = gather(sources, unpacked)
        contents = identified(material)
        words = _words(contents, material, request)
        for _, named in words:
            require_free(named.name, request.force, command)
        added: list[str] = []
        for number, (model, named) in enumerate(words):
            tell(f"{model.shown}: converting")
            made = place / f"made{number}"
            made.mkdir()
            card = make_entry(model, contents.pairs.get(model.path), named, made)
            keep(card, made, request.force, command)
            added.append(named.name)
    adopted = adopt(added)
    return report(added, adopted, contents.left_out)


def report(added: Sequence[str], adopted: dict[str, str], left_out: dict[str, str]) -> AddReport:
    """What is in the library now."""
    library = entries()
    items = [item_of(require(name), library) for name in added]
    return AddReport(
        folder=str(library_folder()),
        added=sorted(items, key=lambda item: not item.card.is_voice),
        adopted=adopted,
        left_out=[LeftOut(file=file, why=why) for file, why in left_out.items()],
    )


def _words(
    contents: Contents, material: Material, request: AddRequest
) -> list[tuple[FoundModel, CardWords]]:
    """Every model to be kept, encoders first, with its name and what is said of it.

    Raises:
        InputError: if a name or a picture is given, and there are several models.
    """
    found = [*contents.models, *contents.voices]
    if len(found) > 1:
        _refuse_single(found, contents, request)
    alone = len(contents.voices) == 1
    words: list[tuple[FoundModel, CardWords]] = []
    taken: set[str] = set()
    for model in found:
        is_voice = model in contents.voices
        beside = _beside(material, model, alone) if is_voice else Companions()
        called = beside.title or _file_name(model, material, alone)
        title = (is_voice and request.title) or beside.title or _stated_title(model) or called
        name = request.name if request.name and (is_voice or not contents.voices) else slug(called)
        while name in taken:
            name = slug(f"{name}-{len(taken) + 1}")
        taken.add(name)
        remark = contents.remarks.get(model.path)
        words.append((model, _card_words(request, beside, name, title, remark)))
    return words


def _card_words(
    request: AddRequest, beside: Companions, name: str, title: str, remark: str | None
) -> CardWords:
    own = request.settings.model_dump(exclude_none=True)
    return CardWords(
        name=name,
        title=title[:200],
        licence=beside.licence if request.licence is None else request.licence,
        author=beside.author if request.author is None else request.author,
        description=beside.description if request.description is None else request.description,
        picture=request.picture or beside.picture,
        encoder=request.encoder,
        settings=beside.settings.model_copy(update=own),
        sample=request.sample,
        remarks=tuple(filter(None, (remark, *beside.remarks))),
    )


def _refuse_single(found: list[FoundModel], contents: Contents, request: AddRequest) -> None:
    """Refuses what belongs to one model only.

    Raises:
        InputError: if such a thing is given and there are several voices.
    """
    if len(contents.voices) == 1:
        return
    for option in ("name", "title", "picture", "sample"):
        if getattr(request, option) is not None:
            listed = ", ".join(model.shown for model in found[:6])
            text = f"--{option} is for one voice, and there are {len(found)} models: {listed}"
            raise InputError(Problem("several-voices", text, fix="give the files of one voice"))


def _beside(material: Material, model: FoundModel, alone: bool) -> Companions:
    """What lies beside a voice: everything if it is the only one, else what is in its folder."""
    near = [p for p in material.companions if alone or p.parent == model.path.parent]
    if not alone:
        stem = model.path.stem.lower()
        near = [p for p in near if p.stem.lower().startswith(stem) or p.name == "params.json"]
    return read_companions(near, [model.path.stem])


def _stated_title(model: FoundModel) -> str:
    """The title in a model's header; empty if it is only made of the file's name."""
    title = getattr(model.found.card, "title", "")
    return "" if title == model.path.stem else title


def _file_name(model: FoundModel, material: Material, alone: bool) -> str:
    """A name of the file, or of the archive or folder if the file's says nothing."""
    stem = model.path.stem if model.path.is_file() else model.path.name
    own = _TRAINED.sub("", stem).strip("_- ") or stem
    if _MEANINGLESS.fullmatch(own) and alone and material.containers:
        return material.containers[0]
    return own
