"""``voicegraph inspect``: identifies model files without loading them, and describes recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.terminal_text import printable

from ._failures import common_code, failed_file
from ._library_files import named_file
from ._options import JsonOption, argument
from ._output import echo, print_json
from .app import app

if TYPE_CHECKING:
    from voicegraph.schemas.model_report import ModelFile
    from voicegraph.schemas.recording_summary import RecordingSummary

_PARTS_SHOWN = 12
_NAMES = ("inputs", "optional_inputs", "outputs", "widths", "stated", "trained")
"""Fields of cards whose keys are names in the file."""
_FORMS = {
    "torch": "written by torch.save",
    "torch-legacy": "written by torch.save, in the form before PyTorch 1.6",
    "safetensors": "safetensors",
}
FilesArg = Annotated[
    list[Path],
    argument(
        "FILE...",
        "Voices, indexes, encoders, pitch models, recordings; Hugging Face folders; names in the "
        "library.",
    ),
]


@app.command()
def inspect(files: FilesArg, as_json: JsonOption = False) -> int:
    """Identify model files by their headers, without running code in them or loading weights.

    A recording of `live` (.jsonl) is described, too, with its marks.

    A model that no pipeline can use has a row `unusable` with the reason. Exit code 3 if a file
    cannot be read or is no model; the others are still shown.
    """
    from voicegraph.schemas.model_report import InspectReport, ModelFile
    from voicegraph.schemas.recording_summary import RecordingSummary

    done: list[ModelFile | RecordingSummary] = []
    failed: list[tuple[Path, VoicegraphError]] = []
    for path in files:
        try:
            done.append(_described(named_file(path)))
        except VoicegraphError as error:
            failed.append((path, error))
            if not as_json:
                echo(str(error), err=True)
        else:
            found = done[-1]
            if not as_json:
                echo(summary(found) if isinstance(found, ModelFile) else recording_text(found))
    if as_json:
        report = InspectReport(
            ok=not failed,
            files=[found for found in done if isinstance(found, ModelFile)],
            failed=[failed_file(*f) for f in failed],
            recordings=[found for found in done if isinstance(found, RecordingSummary)],
        )
        print_json(report)
    return common_code(error for _, error in failed)


def _described(path: Path) -> ModelFile | RecordingSummary:
    from voicegraph.graph.files.models.description import describe
    from voicegraph.graph.files.models.identify import identify
    from voicegraph.graph.files.recordings.summary import looks_like_recording, summarize

    return summarize(path) if looks_like_recording(path) else describe(identify(path))


def recording_text(found: RecordingSummary) -> str:
    """A recording as text: what it is, its marks, what happened, what a replay needs."""
    from voicegraph.app.reports.text_table import Column, table

    begun = "" if found.begun_s is None else f", begun {found.begun_s:.1f} s after the session"
    name = f"recording of {printable(found.pipeline)}"
    rows = [("mark", f"{mark.seconds:8.2f} s  {printable(mark.text)}") for mark in found.marks]
    rows += [("event", f"{printable(kind)}: {count}") for kind, count in found.events.items()]
    rows += [("needs", printable(path)) for path in found.files]
    sound = f"{found.rate_hz:g} Hz, {found.channels} channel{'s' * (found.channels > 1)}"
    streams = f", {found.streams} streams" if found.streams > 1 else ""
    rows.append(("files", f"{found.size_bytes / 1e6:.1f} MB, input at {sound}{streams}"))
    lines = table(
        (Column(""), Column("", wraps=True)), [[f"  {k}", text] for k, text in rows], headings=False
    )
    seconds = f"{found.seconds:.2f} s in {found.blocks} blocks"
    return "\n".join([f"{printable(found.path)}: {name}, {seconds}{begun}", *lines])


def summary(found: ModelFile) -> str:
    """A model file as text: its kind, its card, its contents."""
    from voicegraph.app.reports.text_table import Column, table

    card = {**(found.card or {}), **found.unstated}
    known = {key: value for key, value in card.items() if key != "kind"}
    rows = [*_rows(known), ("file", ", ".join(_holdings(found)))]
    if found.kind is None:
        rows += [(name, _count(count)) for name, count in list(found.parts.items())[:_PARTS_SHOWN]]
        if len(found.parts) > _PARTS_SHOWN:
            rows.append(("...", f"{len(found.parts) - _PARTS_SHOWN} more names"))
    columns = (Column(""), Column("", wraps=True))
    lines = table(columns, [[f"  {key}", text] for key, text in rows], headings=False)
    return "\n".join([f"{printable(found.path)}: {printable(found.description)}", *lines])


def _rows(card: Mapping[str, object], words: bool = True) -> Iterator[tuple[str, str]]:
    """One row per key of the card that has a value; keys that are no names are shown as words."""
    for key, value in card.items():
        name = key.replace("_", " ") if words else key
        if key == "remarks" and isinstance(value, list):
            yield from (("remark", _text(remark)) for remark in value)
            continue
        if isinstance(value, dict) and value:
            yield name, ""
            yield from ((f"  {inner}", text) for inner, text in _rows(value, key not in _NAMES))
        elif text := _text(value):
            yield name, text


def _holdings(found: ModelFile) -> list[str]:
    parts = [_FORMS.get(found.form or "", ""), f"{found.size_bytes / 1e6:.1f} MB"]
    if found.tensors is not None:
        values = " + ".join(f"{count:,} {dtype}" for dtype, count in found.values.items())
        parts += [_count(found.tensors), f"values: {values or 'none'}"]
    return [part for part in parts if part]


def _count(tensors: int) -> str:
    return f"{tensors} tensor{'' if tensors == 1 else 's'}"


def _text(value: object) -> str:
    """A value of a card as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}" if abs(value) >= 1_000_000 else str(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(f"[{_text(v)}]" if isinstance(v, list) else _text(v) for v in value)
    return "" if value is None or value == {} else printable(str(value))
