"""Merges two RVC voices into one: every weight is a weighted mean of theirs.

As in RVC's own merging, the tensors are mixed as they are stored, which needs voices of one
architecture: interpolation of weights works for networks that were trained from the same pretrained
voice, as nearly all RVC voices are (M. Wortsman et al., "Model soups", ICML 2022).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.models import identify
from voicegraph.graph.files.models.conversion import write
from voicegraph.graph.files.voice_library import (
    LibraryEntry,
    entries,
    name_problem,
    needs_of,
    require,
    slug,
)
from voicegraph.nodes.synth.voice_file import open_voice
from voicegraph.schemas.voice_card import VoiceCard
from voicegraph.schemas.voice_library import (
    AddReport,
    LibraryCard,
    MergedParent,
    VoiceSettings,
)
from voicegraph.schemas.voice_register import VoiceRegister

from .add import report
from .making import kept_file
from .merged_index import merged_index
from .storage import keep, require_free, workplace

_UNUSED = {"spec_channels", "segment_size", "p_dropout", "spk_embed_dim"}
"""Entries of a voice's config that only training uses."""
Tensors = dict[str, torch.Tensor]


@dataclass(frozen=True, slots=True)
class MergeRequest:
    """How voices are merged.

    Attributes:
        first: name of a voice in the library.
        second: likewise.
        ratio: share of the first one, more than 0 and less than 1.
        name: of the merged voice; None makes one of both names.
        title: likewise.
        force: replace an entry of the same name.
    """

    first: str
    second: str
    ratio: float = 0.5
    name: str | None = None
    title: str | None = None
    force: bool = False


def merge(request: MergeRequest, tell: Callable[[str], None] = lambda _: None) -> AddReport:
    """Puts a voice between two others into the library.

    Args:
        request: which, and how.
        tell: gets a line for each step.

    Raises:
        InputError: if a voice is missing, or the two differ in architecture, rate or version; all
            differences are named at once.
        OutputError: if the name is taken, or the library cannot be written.
    """
    one, other = require(request.first), require(request.second)
    name = request.name or slug(f"{one.name}-{other.name}")
    if (problem := name_problem(name)) is not None:
        raise InputError(problem)
    command = f"voicegraph voice merge {one.name} {other.name} --ratio {request.ratio:g}"
    require_free(name, request.force, command)
    card = _merged_card(one, other, request.ratio)
    with workplace() as place:
        made = place / "made"
        made.mkdir()
        tell(f"mixing {one.name} and {other.name}")
        target = made / f"{name}.safetensors"
        title = request.title or f"{one.card.title} + {other.card.title}"
        stated = {
            "title": title[:200],
            "licence": _licence(one.card, other.card)[:2000],
            "source": _share(one, other, request.ratio)[:2000],
        }
        write(_mixed(one, other, request.ratio), card.model_copy(update=stated), target, False)
        index = merged_index((one, other), request.ratio, made / f"{name}.index.safetensors", tell)
        kept = _library_card(request, one, other, name, title[:200])
        files = {"model": kept_file(target, made, _share(one, other, request.ratio))}
        if index.file is not None:
            files["index"] = kept_file(index.file, made, "the indexes of both")
        remarks = (index.remark, *card.remarks)
        keep(
            LibraryCard.model_validate({**kept, **files, "remarks": remarks}),
            made,
            request.force,
            command,
        )
    return report([name], {}, {})


# ---- what both have to have in common -------------------------------------------------------


def _merged_card(one: LibraryEntry, other: LibraryEntry, ratio: float) -> VoiceCard:
    """The card of the merged file.

    Raises:
        InputError: if the voices cannot be merged; with all differences.
    """
    if one.name == other.name:
        text = f"{one.name} cannot be merged with itself"
        raise InputError(Problem("same-voice", text, fix="name two voices"))
    for entry in (one, other):
        if entry.card.kind != "rvc" or entry.card.form != "safetensors":
            kind = "an ONNX file" if entry.card.form == "onnx" else "no RVC voice"
            text = f"{entry.name} is {kind}; RVC voices with weights can be merged"
            raise InputError(Problem("not-mergeable", text, fix="voicegraph voice list"))
        lost = [need for need in needs_of(entry, entries()) if need.code == "missing-file"]
        if lost:
            raise InputError(lost)
    first, second = _voice_card(one), _voice_card(other)
    if lines := differences(first, second):
        text = f"{one.name} and {other.name} differ, so their weights cannot be mixed"
        notes = tuple((line, None) for line in lines)
        fix = "merge voices of one version, rate and architecture"
        raise InputError(Problem("voices-differ", text, notes=notes, fix=fix))
    speakers = min(first.speakers, second.speakers)
    remarks = [remark for remark in first.remarks if remark in second.remarks]
    if first.speakers != second.speakers:
        remarks.append(f"it has the first {speakers} speakers of both")
    return first.model_copy(
        update={
            "speakers": speakers,
            "config": first.config.model_copy(update={"spk_embed_dim": speakers}),
            "info": "merged",
            "author": "",
            "trained": {},
            "pitch": _pitch(one.card, other.card, ratio),
            "trained_on": first.trained_on or second.trained_on,
            "remarks": tuple(remarks),
        }
    )


def differences(one: VoiceCard, other: VoiceCard) -> list[str]:
    """What keeps two voices from being merged, a line each."""
    facts = (
        ("version", one.version, other.version),
        ("width of the content", one.dim, other.dim),
        ("sample rate", f"{one.rate} Hz", f"{other.rate} Hz"),
        ("pitch", "with" if one.f0 else "without", "with" if other.f0 else "without"),
        ("encoder layer", one.layer, other.layer),
    )
    lines = [f"{what}: {mine}, and {yours}" for what, mine, yours in facts if mine != yours]
    first, second = one.config.model_dump(), other.config.model_dump()
    left_out = {*_UNUSED, "sample_rate"}
    lines += [
        f"{key.replace('_', ' ')}: {first[key]}, and {second[key]}"
        for key in first
        if key not in left_out and first[key] != second[key]
    ]
    if one.trained_on and other.trained_on:
        mine, yours = one.trained_on.fingerprint, other.trained_on.fingerprint
        lines += [f"content encoder: {mine}, and {yours}"] if mine != yours else []
    return lines


def _voice_card(entry: LibraryEntry) -> VoiceCard:
    card = identify(entry.model_file).card
    if not isinstance(card, VoiceCard):
        text = f"{entry.model_file} is no RVC voice any more"
        raise InputError(
            Problem("not-mergeable", text, fix=f"add {entry.name} again, with --force")
        )
    return card


# ---- weights --------------------------------------------------------------------------------


def _mixed(one: LibraryEntry, other: LibraryEntry, ratio: float) -> Tensors:
    """The tensors of the merged voice: of one dtype if both have it, else float32.

    Raises:
        InputError: if the same tensor has another shape in both.
    """
    first, second = _tensors(one.model_file), _tensors(other.model_file)
    if first.keys() != second.keys():  # one has its weight norms folded already
        first, second = (open_voice(entry.model_file).plain_tensors() for entry in (one, other))
    absent = sorted(first.keys() ^ second.keys())
    if absent:
        text = f"{one.name} and {other.name} have different tensors: {', '.join(absent[:6])}"
        raise InputError(Problem("voices-differ", text, fix="merge voices of one architecture"))
    return {name: mixed(tensor, second[name], ratio) for name, tensor in first.items()}


def mixed(one: torch.Tensor, other: torch.Tensor, ratio: float) -> torch.Tensor:
    """``ratio * one + (1 - ratio) * other``, computed in float32.

    Args:
        one: any shape.
        other: the same shape; of the speakers, the first axis may be longer or shorter, and the
            rows that both have are mixed.
        ratio: share of ``one``.
    """
    rows = min(len(one), len(other)) if one.ndim else 0
    if one.shape != other.shape and one.ndim:
        one, other = one[:rows], other[:rows]
    dtype = one.dtype if one.dtype == other.dtype else torch.float32
    return torch.lerp(other.float(), one.float(), ratio).to(dtype)


def _tensors(path: Path) -> Tensors:
    found = identify(path)
    assert found.kind is not None
    return found.kind.convert(path, found.archive)[0]


# ---- words ----------------------------------------------------------------------------------


def _library_card(
    request: MergeRequest, one: LibraryEntry, other: LibraryEntry, name: str, title: str
) -> dict[str, object]:
    share = {one: request.ratio, other: 1.0 - request.ratio}
    first = one.card
    encoder = first.encoder
    if encoder is not None and other.card.encoder is not None and encoder.name is None:
        encoder = other.card.encoder
    return {
        "name": name,
        "title": title,
        "kind": "rvc",
        "licence": _licence(first, other.card),
        "source": _share(one, other, request.ratio),
        "added": _now(),
        "rate_hz": first.rate_hz,
        "version": first.version,
        "f0": first.f0,
        "speakers": min(first.speakers or 1, other.card.speakers or 1),
        "encoder": encoder,
        "pitch": _pitch(first, other.card, request.ratio),
        "settings": _settings(first.settings, other.card.settings, request.ratio),
        "parents": tuple(
            MergedParent(
                name=entry.name,
                title=entry.card.title,
                share=round(part, 6),
                sha256=entry.card.model.sha256,
            )
            for entry, part in share.items()
        ),
    }


def _now() -> str:
    from datetime import UTC, datetime

    return datetime.now(UTC).isoformat(timespec="seconds")


def _share(one: LibraryEntry, other: LibraryEntry, ratio: float) -> str:
    return f"{ratio:.0%} {one.name}, {1 - ratio:.0%} {other.name}"


def _licence(one: LibraryCard, other: LibraryCard) -> str:
    """Both licences: what is made of two voices has to keep the terms of both."""
    stated = {card.title: card.licence or "no licence stated" for card in (one, other)}
    if len({*stated.values()}) == 1:
        return one.licence
    return "\n\n".join(f"{title}: {text}" for title, text in stated.items())[:20_000]


def _pitch(one: LibraryCard, other: LibraryCard, ratio: float) -> VoiceRegister | None:
    """The pitch between two, on the scale of semitones; None if one is not known."""
    if one.pitch is None or other.pitch is None:
        return None

    def between(mine: float | None, yours: float | None) -> float | None:
        return mine and yours and round(mine**ratio * yours ** (1 - ratio), 1)

    return VoiceRegister(
        median_hz=between(one.pitch.median_hz, other.pitch.median_hz) or one.pitch.median_hz,
        low_hz=between(one.pitch.low_hz, other.pitch.low_hz),
        high_hz=between(one.pitch.high_hz, other.pitch.high_hz),
        learned_from="between those of its parents",
    )


def _settings(one: VoiceSettings, other: VoiceSettings, ratio: float) -> VoiceSettings:
    """The settings that both have, between theirs; a speaker only if it is the same."""
    found: dict[str, float] = {}
    mine, yours = one.model_dump(exclude_none=True), other.model_dump(exclude_none=True)
    for key in mine.keys() & yours.keys():
        if mine[key] == yours[key]:
            found[key] = mine[key]
        elif key != "speaker":
            found[key] = round(mine[key] * ratio + yours[key] * (1 - ratio), 3)
    return VoiceSettings.model_validate(found)
