"""The report on a new voice, in Markdown: its recordings, its training, and its quality."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from voicegraph.graph.files.atomic_write import write_text
from voicegraph.graph.terminal_text import printable, printable_lines
from voicegraph.schemas.voice_report import Losses, MaterialReport, Preview, VoiceReport

_SHOWN = 60
"""Rejected parts that are listed one by one, at most."""


def write(report: VoiceReport) -> None:
    """Writes the report; an existing one is replaced.

    Raises:
        OutputError: if it cannot be written.
    """
    write_text(Path(report.page), printable_lines(text(report)), force=True)


def text(report: VoiceReport) -> str:
    """The report as Markdown."""
    parts = (
        _head(report),
        _use(report),
        _previews(report.trials),
        _training(report),
        _material(report.material),
        _rejected(report.material),
        _card(report),
    )
    return "\n".join(line for part in parts for line in part)


def _head(report: VoiceReport) -> Iterator[str]:
    card, material = report.card, report.material
    yield f"# {printable(card.title)}"
    yield ""
    if card.consent is not None:
        yield (
            f"The voice of {card.consent.owner}, who agreed on {card.consent.given} "
            f"({card.consent.how}): {card.consent.statement}"
        )
        yield ""
    yield (
        f"{material.used_s / 60:.1f} minutes of speech in {material.utterances} utterances, "
        f"{card.trained.get('steps', '?')} steps of training; pitch around "
        f"{card.prosody.median_hz:.0f} Hz. File: `{report.voice}`."
    )
    yield ""
    if report.picture:
        yield f"![Spectrograms and the training]({Path(report.picture).name})"
        yield ""


def _use(report: VoiceReport) -> Iterator[str]:
    yield "## How to use it"
    yield ""
    yield "```text"
    yield f"voicegraph run default in.wav out.wav --set vars.voice={report.voice}"
    yield f"voicegraph live default-live --set vars.voice={report.voice}"
    yield "```"
    yield ""


def _previews(previews: Sequence[Preview]) -> Iterator[str]:
    yield "## Conversion of sounds that it was not trained on"
    yield ""
    rows = (
        (
            one.name,
            f"{one.phone_error:.3f}",
            "-" if one.f0_error_cents is None else f"{one.f0_error_cents:.0f}",
            f"{one.voicing:.3f}",
            f"{_db(one.source_pause_db)} -> {_db(one.pause_db)}",
            f"{one.source_likeness:.2f} -> {one.likeness:.2f}",
        )
        for one in previews
    )
    heads = ("sound", "phone error", "F0 error (cents)", "voicing", "pauses (dB)", "similarity")
    yield from _table(heads, rows)
    yield ""
    yield (
        "Phone error: edit distance between the phones of result and source, per phone of the "
        "source, recognized by the encoder that the voice itself uses; so it flatters, and is not "
        "independent. F0 error: median difference of the F0 contours, without the transposition. "
        "Voicing: share of frames whose voicing agrees. Pauses: their level relative to speech, "
        "before and after. Similarity: to the speaker of the recordings, before and after; other "
        "speakers are around 0, the speaker's own speech is 0.8 or more."
    )
    yield ""


def _training(report: VoiceReport) -> Iterator[str]:
    yield "## Training"
    yield ""
    yield "Spectral loss on held-out speech, by the kind of its content features."
    yield ""
    rows = (
        (f"{one.step}", f"{one.seconds / 60:.1f}", *(_loss(x) for x in _kinds(one)))
        for one in report.losses
    )
    heads = ("step", "minutes", "clean", "perturbed", "perturbed, as a stream", "in training")
    yield from _table(heads, rows)
    yield ""


def _kinds(one: Losses) -> tuple[float | None, ...]:
    return one.clean, one.perturbed, one.streaming, one.training


def _material(material: MaterialReport) -> Iterator[str]:
    yield "## Recordings"
    yield ""
    rows = (
        (
            _code(found.path),
            f"{found.seconds / 60:.1f}",
            f"{found.speech_s / 60:.1f}",
            f"{found.used_s / 60:.1f}",
            f"{found.rate_hz} Hz, {found.channels} ch" if found.rate_hz else "-",
            "; ".join(filter(None, (found.error, *found.notes))) or "-",
        )
        for found in material.recordings
    )
    heads = ("file", "minutes", "speech", "used", "format", "remarks")
    yield from _table(heads, rows)
    yield ""
    yield from (f"{note}\n" for note in material.notes)


def _rejected(material: MaterialReport) -> Iterator[str]:
    yield "## What was left out"
    yield ""
    if not material.rejected:
        yield "Nothing."
        yield ""
        return
    for reason, seconds in material.reasons().items():
        yield f"* {reason}: {seconds:.0f} s"
    yield ""
    rows = (
        (_code(Path(one.path).name), f"{one.start_s:.1f}-{one.end_s:.1f} s", one.reason, one.detail)
        for one in material.rejected[:_SHOWN]
    )
    yield from _table(("file", "where", "reason", "figure"), rows)
    if len(material.rejected) > _SHOWN:
        yield ""
        yield f"And {len(material.rejected) - _SHOWN} more."
    yield ""


def _card(report: VoiceReport) -> Iterator[str]:
    yield "## Card"
    yield ""
    yield "```json"
    yield report.card.model_dump_json(indent=2, exclude_none=True)
    yield "```"
    yield ""


def _code(name: object) -> str:
    """A file name as code, whatever characters it has."""
    shown = printable(str(name)).replace("`", "'")
    return f"`{shown}`"


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{'---|' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(cell.replace('|', '/') for cell in row)} |"


def _db(level: float | None) -> str:
    return "-" if level is None else f"{level:.0f}"


def _loss(value: float | None) -> str:
    return "-" if value is None else f"{value:.4f}"
