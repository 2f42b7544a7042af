"""``voicegraph voice list``: what is in the library."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.graph.terminal_text import printable

from ._options import JsonOption
from ._output import echo, print_json
from .voice import voice

if TYPE_CHECKING:
    from voicegraph.schemas.voice_library import LibraryItem, LibraryReport

_KINDS = {
    "rvc": "RVC voice",
    "source_filter": "source-filter voice",
    "content_encoder": "content encoder",
    "phonetic_encoder": "phonetic encoder",
    "pitch_model": "pitch model",
}


@voice.command("list")
def voice_list(as_json: JsonOption = False) -> None:
    """List the voices, encoders and pitch models of the library, and what each still needs.

    The names work wherever a pipeline takes a file: `--set vars.voice=NAME`.
    """
    from voicegraph.graph.files.voice_library import library_report

    report = library_report()
    print_json(report) if as_json else echo(_text(report))


def kind_of(item: LibraryItem) -> str:
    """What an entry is, in words."""
    card = item.card
    words = [_KINDS[card.kind], *([card.version] if card.version else [])]
    return " ".join(words) + (", ONNX" if card.form == "onnx" else "")


def _text(report: LibraryReport) -> str:
    from voicegraph.app.reports.text_table import Column, table

    columns = (
        Column("name"), Column("title", wraps=True), Column("is", wraps=True),
        Column("rate", right=True), Column("pipelines", wraps=True), Column(""),
    )  # fmt: skip
    rows = [_row(item) for item in (*report.voices, *report.models)]
    lines = [*table(columns, rows), ""]
    for item in report.voices:
        for need in item.needs:
            first, *more = (need.fix or "").split("\n")
            lines += [printable(need.message), f"  fix: {first}", *(f"       {m}" for m in more)]
    for one in report.unreadable:
        lines += [printable(one.problem.message), f"  fix: {one.problem.fix}"]
    return "\n".join([*lines, f"library: {report.folder}"])


def _row(item: LibraryItem) -> list[str]:
    card = item.card
    state = "needs something" if item.needs else "bundled" if item.bundled else ""
    return [
        printable(item.name),
        printable(card.title),
        kind_of(item),
        f"{card.rate_hz / 1000:g} kHz" if card.rate_hz and card.is_voice else "",
        ", ".join(item.pipelines[:2]),
        state,
    ]
