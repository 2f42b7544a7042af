"""The report of ``voicegraph experiment compare`` as text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.experiment_difference import (
    CostDifference,
    DifferenceLimit,
    RunDifferenceReport,
    RunSide,
    ValueDifference,
)

from .text_table import Column, table, wrap

_WIDTH = 110
_MOST = 20
"""Lines of what a run lacks, and of costs and plans; the rest is counted."""
_VALUES = (
    Column("cell", wraps=True),
    Column("metric"),
    Column("n", right=True),
    *(Column(title, right=True) for title in ("A", "B", "B - A", "95 % interval", "p (Holm)")),
    Column("verdict", wraps=True),
)
_COSTS = (
    Column("cell", wraps=True),
    Column("figure"),
    *(Column(title, right=True) for title in ("A", "B", "B - A")),
    Column("", wraps=True),
)


def run_difference_text(report: RunDifferenceReport) -> str:
    """The whole report."""
    lines = [*_side("A", report.a), *_side("B", report.b), ""]
    if report.identical:
        pairs = sum(row.pairs for row in report.values)
        cells = len({row.cell for row in report.values})
        lines.append(f"identical, bit by bit: {pairs} values in {cells} cells, and all plans")
    lines += _plans(report)
    if not report.identical:
        lines += _values(report.values)
    lines += _costs(report.costs)
    lines += _lacks("A", report.lacks_a)
    lines += _lacks("B", report.lacks_b)
    if report.limits:
        lines += ["", *(_limit(limit) for limit in report.limits)]
    return "\n".join(lines)


def _side(label: str, side: RunSide) -> Iterator[str]:
    commit = f", commit {side.commit[:12]}" if side.commit else ""
    changed = " with changes" if side.dirty else ""
    when = f", {side.finished}" if side.finished else ""
    text = (
        f"{side.folder}: {side.name}, {side.cells} cells, {side.values} values; "
        f"voicegraph {side.voicegraph}{commit}{changed}{when}"
    )
    first, *more = wrap(printable(text), _WIDTH - 4)
    yield f"{label:<4}{first}"
    yield from (f"    {line}" for line in more)


def _plans(report: RunDifferenceReport) -> list[str]:
    if not report.plans:
        return []
    lines = ["plans that differ"]
    groups: dict[tuple[str, ...], list[str]] = {}
    for plan in report.plans:
        groups.setdefault(tuple(plan.changes), []).append(plan.cell)
    for changes, cells in list(groups.items())[:_MOST]:
        named = ", ".join(cells) if len(cells) < 4 else f"{cells[0]} and {len(cells) - 1} more"
        lines += _hanging(named)
        for change in changes:
            lines += _hanging(change, "    ")
    lines += _more(len(groups) - _MOST)
    return [*lines, ""]


def _values(rows: Sequence[ValueDifference]) -> list[str]:
    """Rows that differ; equal ones are counted, since many of them hide those."""
    equal = [row for row in rows if row.identical]
    different = [row for row in rows if not row.identical]
    lines = table(_VALUES, [_value(row) for row in different], _WIDTH) if different else []
    if equal:
        which = f"{len(equal)} of {len(rows)} metrics of cells are identical, bit by bit"
        lines += ["", which] if different else [which]
    reasons = sorted({row.why for row in different if row.why})
    lines += [line for why in reasons for line in _hanging(f"not tested: {why}", "")]
    return lines


def _value(row: ValueDifference) -> list[str]:
    interval = "-"
    if row.low is not None and row.high is not None:
        interval = f"{row.low:+.4g} .. {row.high:+.4g}"
    return [
        row.cell,
        row.metric,
        str(row.n),
        _number(row.mean_a),
        _number(row.mean_b),
        "-" if row.difference is None else f"{row.difference:+.4g}",
        interval,
        _number(row.p_corrected, 2),
        row.verdict,
    ]


def _costs(rows: Sequence[CostDifference]) -> list[str]:
    shown = [row for row in rows if row.difference]
    if not shown:
        return []
    cells = [
        [
            row.cell,
            f"{row.name} ({row.unit})" if row.unit else row.name,
            _number(row.a),
            _number(row.b),
            f"{row.difference:+.4g}",
            "" if row.comparable else f"other machines: {row.machine_a}, {row.machine_b}",
        ]
        for row in shown[: 2 * _MOST]
    ]
    note = "costs of one run follow the other's: differences have no interval"
    return ["", *table(_COSTS, cells, _WIDTH), *_more(len(shown) - 2 * _MOST), note]


def _lacks(label: str, what: Sequence[str]) -> list[str]:
    if not what:
        return []
    lines = ["", f"{label} lacks"]
    for one in what[:_MOST]:
        lines += _hanging(one)
    return [*lines, *_more(len(what) - _MOST)]


def _limit(limit: DifferenceLimit) -> str:
    word = {True: "within", False: "OUTSIDE", None: "unjudged"}[limit.ok]
    where = "" if limit.cell is None else f"   {limit.cell}: {_number(limit.found)}"
    why = f"   {limit.why}" if limit.why else ""
    return printable(f"{word:<12}{limit.limit}{where}{why}")


def _number(value: float | None, digits: int = 4) -> str:
    return "-" if value is None else f"{value:.{digits}g}"


def _hanging(text: str, indent: str = "  ") -> list[str]:
    first, *more = wrap(printable(text), _WIDTH - len(indent) - 2) or [""]
    return [f"{indent}{first}", *(f"{indent}  {line}" for line in more)]


def _more(count: int) -> list[str]:
    return [f"  and {count} more (--json has all)"] if count > 0 else []
