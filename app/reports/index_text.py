"""The reports of ``voicegraph index`` as text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.index_report import (
    AudioDeviation,
    IndexCompressed,
    IndexInspection,
    IndexLimit,
    IndexMade,
    IndexSuggestions,
    SearchReport,
)

from .text_table import WIDTH, Column, table, wrap

_COLUMNS = tuple(
    Column(title, right=right)
    for title, right in (
        ("type", False), ("lists\nsearched", True), ("size\nMB", True), ("recall\n@8", True),
        ("mean\nerror", True), ("blend\nerror", True), ("cosine", True), ("12 frames\nms", True),
    )
)  # fmt: skip


def made_text(report: IndexMade) -> str:
    """What was made, from what."""
    given = f"{report.frames} frames of {_count(report.files, 'file')}"
    if report.seconds is not None:
        given += f", {report.seconds / 60:.1f} min of sound"
    left = [
        f"{count} {what}"
        for what, count in (
            ("silent", report.silent),
            ("duplicates", report.duplicates),
            ("with NaN or infinity", report.not_finite),
        )
        if count
    ]
    rows = [("from", given)]
    if left:
        rows.append(("left out", ", ".join(left)))
    made = f"{report.vectors} vectors of {report.dimension} values"
    rows.append(("vectors", f"{made}, centres of k-means" if report.clustered else made))
    rows.append(("lists", f"{report.lists}, of which a search visits {report.probes}"))
    rows.append(("encoder", _encoder(report.trained_on)))
    lines = [f"wrote {printable(report.path)}, {report.size_bytes / 1e6:.1f} MB", *_facts(rows)]
    return "\n".join([*lines, *_notes(report.notes)])


def compressed_text(report: IndexCompressed) -> str:
    """The table of searches, the conditions, and whether the index was written."""
    lines = [
        *_basis(report.source, report.vectors, report.dimension, report.lists),
        *_method(report.queries, report.rate),
        "",
        *table(_COLUMNS, [_row(each) for each in [*report.before, report.after]]),
    ]
    if report.audio is not None:
        lines += ["", *_audio(report.audio)]
    if report.limits:
        lines += ["", *(_limit(limit) for limit in report.limits)]
    lines += [*_notes(report.notes), ""]
    target, before = printable(report.target), report.before[0].size_bytes
    if report.written:
        share = report.after.size_bytes / before
        lines.append(f"wrote {target}: {share:.0%} of the size")
    else:
        lines.append(f"{target} was not written, since not all conditions hold")
    return "\n".join(lines)


def suggestions_text(report: IndexSuggestions) -> str:
    """The searches that no other one beats, and the one that the conditions choose."""
    shown = [each for each in report.tried if each.frontier]
    rows: list[Sequence[str]] = [_row(report.before)]
    rows += [_row(each) for each in shown]
    hidden = len(report.tried) - len(shown)
    lines = [
        *_basis(report.source, report.vectors, report.dimension, report.lists),
        *_method(report.queries, report.rate),
        "",
        *table(_COLUMNS, rows),
    ]
    said = []
    if hidden:
        said.append(
            f"{_count(hidden, 'other')} tried, and beaten in size, blend error and time by one of "
            "these; --json lists all"
        )
    limits = " and ".join(map(printable, report.limits))
    if report.command is not None:
        said += [f"the smallest within {limits}:", "", f"  {printable(report.command)}"]
    elif limits:
        said.append(f"none fulfils {limits}")
    return "\n".join([*lines, "", *said] if said else lines)


def inspection_text(report: IndexInspection) -> str:
    """What an index holds, and how near its searches are."""
    rows = [
        ("type", report.type),
        ("vectors", f"{report.vectors} of {report.dimension} values"),
        ("memory", f"{report.size_bytes / 1e6:.1f} MB, {report.vector_bytes:.0f} bytes a vector"),
        ("length", f"{report.norm['mean']:.3g} ± {report.norm['std']:.2g}"),
        ("duplicates", str(report.duplicates)),
        ("encoder", _encoder(report.trained_on)),
    ]
    sizes = report.list_sizes
    if sizes is not None:
        text = f"{report.lists}, of which a search visits {report.probes}"
        rows.append(("lists", text))
        text = f"{sizes['least']:.0f} to {sizes['most']:.0f} vectors, median {sizes['median']:.0f}"
        text += f"; {sizes['empty']:.0f} empty; imbalance {sizes['imbalance']:.2f}"
        rows.append(("list sizes", text))
    lines = [printable(report.path), *_facts(rows), *_method(report.queries, report.rate), ""]
    lines += table(_COLUMNS, [_row(each) for each in report.searches])
    return "\n".join([*lines, *_notes(report.notes)])


# ---- parts --------------------------------------------------------------------------------------


def _row(found: SearchReport) -> list[str]:
    return [
        found.type,
        "all" if found.probes is None else str(found.probes),
        f"{found.size_bytes / 1e6:.2f}",
        f"{found.recall:.3f}",
        f"{found.mean:.4f}",
        f"{found.blend:.4f}",
        f"{found.cosine:.4f}",
        f"{found.search_ms:.2f}",
    ]


def _basis(source: str, vectors: int, dimension: int, lists: int) -> list[str]:
    return _wrapped(f"{source}: {vectors} vectors of {dimension} values in {_count(lists, 'list')}")


def _method(queries: str, rate: float) -> list[str]:
    text = f"searched with {queries}; errors against an exact search, the blend at rate {rate:g}"
    return _wrapped(text)


def _audio(found: AudioDeviation) -> list[str]:
    snr = "equal" if found.snr_db is None else f"{found.snr_db:.1f} dB"
    lsd = "" if found.lsd_db is None else f", log-spectral distance {found.lsd_db:.2f} dB"
    files = ", ".join(found.files)
    return _wrapped(
        f"sound of {found.pipeline} on {files}, against an exact search: SNR {snr}{lsd}"
    )


def _limit(limit: IndexLimit) -> str:
    found = "" if limit.found is None else f": {limit.found:.4g}"
    why = f": {limit.why}" if limit.why else ""
    verdict = {True: "holds", False: "does not hold", None: "not judged"}[limit.ok]
    return printable(f"{limit.limit} {verdict}{found}{why}")


def _encoder(identity: EncoderIdentity | None) -> str:
    if identity is None:
        return "not stated"
    facts = ", ".join(f"{name} {value}" for name, value in identity.facts().items())
    return f"{identity.title} ({facts})" if identity.title else facts


def _facts(rows: Sequence[tuple[str, str]]) -> list[str]:
    columns = (Column(""), Column("", wraps=True))
    return table(columns, [[f"  {name}", text] for name, text in rows], headings=False)


def _notes(notes: Iterable[str]) -> list[str]:
    return [line for note in notes for line in _wrapped(f"note: {note}")]


def _wrapped(text: str) -> list[str]:
    return wrap(printable(text), WIDTH)


def _count(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
