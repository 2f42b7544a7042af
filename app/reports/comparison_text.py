"""The report of ``voicegraph compare`` as text."""

from __future__ import annotations

import math
from collections.abc import Iterator

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.comparison_report import (
    ComparisonReport,
    CostComparison,
    LimitReport,
    PortComparison,
    SideReport,
    UncomparedPort,
)

from .text_table import Column, milliseconds, table, wrap

_WIDTH = 110
_COLUMNS = (
    Column("port", wraps=True),
    *(
        Column(title, right=True)
        for title in (
            "offset\nms", "max", "RMS", "SNR\ndB", "gain\ndB", "LSD\ndB", "F0\ncents", ">100\n%",
            "voicing\n%", "cosine\nmean", "least", "worst at\ns",
        )
    ),
)  # fmt: skip


def comparison_text(report: ComparisonReport) -> str:
    """The whole report."""
    lines = [
        *_side("A", report.a),
        *_side("B", report.b),
        *_wrapped("on", _files(report)),
        "",
    ]
    if report.identical:
        values = sum(port.values for port in report.together)
        count = _count(len(report.together), "port")
        lines.append(f"identical, bit by bit: {values} values at {count}, the output included")
    else:
        lines += table(_COLUMNS, [_row(port) for port in report.together], _WIDTH)
    if len(report.files) > 1 and not report.identical:
        lines += ["", "output, file by file", *_file_table(report)]
    lines += ["", *_cost(report.cost)]
    lines += _notes(report)
    if report.limits:
        lines += ["", *(_limit(limit, len(report.files) > 1) for limit in report.limits)]
    return "\n".join(lines)


def _side(label: str, side: SideReport) -> list[str]:
    facts = (
        f"{side.name}: block {milliseconds(side.block_ms)} ms, latency "
        f"{milliseconds(side.latency_ms)} ms, {side.output}"
    )
    return _wrapped(label, facts)


def _wrapped(label: str, text: str) -> list[str]:
    first, *more = wrap(printable(text), _WIDTH - 4)
    return [f"{label:<4}{first}", *(f"    {line}" for line in more)]


def _files(report: ComparisonReport) -> str:
    seconds = sum(file.seconds for file in report.files)
    if len(report.files) == 1:
        return f"{report.files[0].file}, {seconds:.1f} s"
    return f"{len(report.files)} files, {seconds:.1f} s"


def _row(port: PortComparison, name: str | None = None) -> list[str] | str:
    called = name or port.port
    if port.identical:
        return [called, "0", "0", "0", "equal", *[""] * 8]
    m, place = port.measures, port.worst[0].second if port.worst else None
    return [
        called,
        "?" if m.offset_ms is None else milliseconds(m.offset_ms),
        _size(m.max),
        _size(m.rms),
        _snr(port),
        _fixed(m.gain_db, 2),
        _fixed(m.lsd_db, 2),
        _fixed(m.cents, 1),
        _fixed(m.gross, 1, 100),
        _fixed(m.voicing, 1, 100),
        _fixed(m.cosine, 4),
        _fixed(m.cosine_min, 4),
        "" if place is None else f"{place:.2f}",
    ]


def _snr(port: PortComparison) -> str:
    if port.measures.snr_db is None and port.measures.max == 0:
        return "equal"
    return _fixed(port.measures.snr_db, 1)


def _size(value: float | None) -> str:
    if not value:
        return "" if value is None else "0"
    return f"{value:.1e}" if value < 0.01 or value >= 10_000 else f"{value:.3g}"


def _fixed(value: float | None, digits: int, factor: float = 1.0) -> str:
    return "" if value is None else f"{factor * value:.{digits}f}"


def _file_table(report: ComparisonReport) -> list[str]:
    rows = []
    for file in report.files:
        worst = " (worst)" if file.file == report.worst_file else ""
        rows.append(_row(file.ports[0], f"{file.file}{worst}"))
    return table((Column("file", wraps=True), *_COLUMNS[1:]), rows, _WIDTH)


def _cost(cost: CostComparison) -> list[str]:
    a, b = cost.a, cost.b
    threads = (
        _count(a.threads, "thread")
        if a.threads == b.threads
        else f"{a.threads} and {b.threads} threads"
    )
    lines = [
        f"compute time in turns, {cost.blocks[0]} and {cost.blocks[1]} blocks, {threads}, "
        f"{cost.machine.cpu}:",
        f"  A  {a.cpu_ms:.2f} ms of CPU a block, {a.undisturbed_ms:.2f} ms undisturbed",
        f"  B  {b.cpu_ms:.2f} ms of CPU a block, {b.undisturbed_ms:.2f} ms undisturbed",
    ]
    if cost.cpu_ratio is None:
        return [*lines, "  this system's clock shows no CPU time for so short a run"]
    spread = ""
    if cost.cpu_ratio_range is not None:
        low, high = cost.cpu_ratio_range
        spread = f" (middle half of the run: {low:.3f} to {high:.3f})"
    ratio = f"  B takes {cost.cpu_ratio:.3f} of the CPU time of A{spread}"
    return [*lines, f"{ratio}, {cost.wall_ratio:.3f} of its undisturbed time"]


def _notes(report: ComparisonReport) -> Iterator[str]:
    for port in report.together:
        for note in port.notes:
            yield from _note(f"{port.port}: {note}")
    for why, names in _unmeasured(report.together).items():
        yield from _note(f"{why}: {', '.join(names)}")
    for note in report.notes:
        yield from _note(note)
    for label, side in (("A", report.a), ("B", report.b)):
        for note in side.notes:
            yield from _note(f"{label}: {note}")
    yield from _uncompared(report.not_compared)


def _unmeasured(ports: list[PortComparison]) -> dict[str, list[str]]:
    """Measures without a value, and why -> ports. That equal signals have no SNR is no news."""
    found: dict[str, list[str]] = {}
    for port in ports:
        reasons: dict[str, list[str]] = {}
        for measure, why in port.unmeasured.items():
            if port.measures.max != 0:
                reasons.setdefault(why, []).append(measure)
        for why, measures in reasons.items():
            found.setdefault(f"no {' and '.join(measures)}, since {why}", []).append(port.port)
    return found


def _note(text: str) -> list[str]:
    first, *more = wrap(printable(text), _WIDTH - 6)
    return [f"note: {first}", *(f"      {line}" for line in more)]


def _uncompared(ports: list[UncomparedPort]) -> Iterator[str]:
    """Ports that were not compared, by reason."""
    reasons: dict[str, list[str]] = {}
    for entry in ports:
        reasons.setdefault(entry.why, []).append(entry.port)
    for why, names in reasons.items():
        yield from _note(f"not compared, {why}: {', '.join(names)}")


def _limit(limit: LimitReport, several: bool) -> str:
    port = f"{limit.port}: " if limit.port else ""
    where = f" in {limit.file}" if several and limit.file else ""
    if limit.ok is None:
        return printable(f"not judged  {limit.limit}   {port}{limit.why}{where}")
    verdict = "within    " if limit.ok else "OUTSIDE   "
    found = limit.why if limit.found is None else f"{_found(limit.found)}"
    return printable(f"{verdict}  {limit.limit}   {port}{found}{where}")


def _found(value: float) -> str:
    return f"{value:.4g}" if math.isfinite(value) else "infinite"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
