"""``voicegraph voice show``: the card of a voice."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from voicegraph.graph.terminal_text import printable

from ._options import JsonOption
from ._output import echo, print_json
from ._voice_library_options import EntryArg
from .voice import voice
from .voice_list import kind_of

if TYPE_CHECKING:
    from voicegraph.schemas.voice_library import LibraryItem

_LICENCE_LINES = 8


@voice.command("show")
def voice_show(name: EntryArg, as_json: JsonOption = False) -> None:
    """Show the card of a voice, encoder or pitch model, and what to type to speak with it."""
    from voicegraph.graph.files.voice_library import entries, item_of, require

    item = item_of(require(name), entries())
    print_json(item) if as_json else echo(item_text(item))


def item_text(item: LibraryItem) -> str:
    """An entry as text."""
    from voicegraph.app.reports.text_table import Column, table

    rows = [[f"  {key}".rstrip(), printable(text)] for key, text in _rows(item) if text]
    lines = [f"{printable(item.name)}: {printable(item.card.title)}, {kind_of(item)}"]
    lines += table((Column(""), Column("", wraps=True)), rows, headings=False)
    for need in item.needs:
        fixes = (need.fix or "").split("\n")
        lines += [printable(need.message), *(f"  fix: {fix}" for fix in fixes)]
    if item.card.is_voice and not item.needs:
        lines += ["", *_commands(item)]
    return "\n".join(lines)


def _rows(item: LibraryItem) -> Iterator[tuple[str, str]]:
    card = item.card
    yield "description", card.description
    yield "author", card.author
    lines = [line for line in card.licence.splitlines() if line.strip()]
    for number, line in enumerate(lines[:_LICENCE_LINES]):
        yield "" if number else "licence", line
    yield "", f"... ({len(lines)} lines; --json has all)" if len(lines) > _LICENCE_LINES else ""
    if card.is_voice:
        yield "sample rate", f"{card.rate_hz} Hz" if card.rate_hz else "not stated"
        yield "speakers", str(card.speakers or "not stated")
        yield "pitch", "" if card.f0 else "none: it speaks in its own"
    if (pitch := card.pitch) is not None:
        span = (
            f", {pitch.low_hz:.0f} to {pitch.high_hz:.0f}" if pitch.low_hz and pitch.high_hz else ""
        )
        yield "register", f"median {pitch.median_hz:.0f} Hz{span} ({pitch.learned_from})"
    yield "features", " or ".join(map(str, card.widths))
    yield "fingerprint", card.fingerprint or ""
    yield "encoder", _encoder(item) if card.encoder is not None else ""
    for path, value in item.settings.items():
        yield "setting", f"{path}={value:g}" if isinstance(value, float) else f"{path}={value}"
    for parent in card.parents:
        yield "parent", f"{parent.share:.0%} {parent.name} ({parent.title}), {parent.sha256[:12]}"
    for remark in card.remarks:
        yield "remark", remark
    yield "added", f"{card.added}, from {card.source}" if card.added else ""
    yield "file", f"{item.model}, {card.model.bytes / 1e6:.1f} MB"
    yield "index", item.index or ""
    yield "picture", item.picture or ""


def _encoder(item: LibraryItem) -> str:
    encoder = item.card.encoder
    if encoder is None or encoder.chosen_by == "bundled":
        return "comes with the pipelines"
    if encoder.name is None:
        return "missing"
    how = {"fingerprint": "the one that it was trained on", "given": "as given"}
    why = how.get(
        encoder.chosen_by, f"{encoder.chosen_by}; the voice has no fingerprint of its own"
    )
    return f"{encoder.name} ({why})"


def _commands(item: LibraryItem) -> list[str]:
    live = item.pipelines[0]
    file = "default" if item.card.kind == "source_filter" else "rvc-file"
    return [
        f"voicegraph live {live} --set vars.voice={item.name}",
        f"voicegraph run {file} IN.wav OUT.wav --set vars.voice={item.name}",
    ]
