"""The differences of two plans as data, and as text."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from .text_table import Column, table


@dataclass(frozen=True, slots=True)
class Change:
    """One value that differs; None if a plan lacks it."""

    what: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Cost:
    """Median compute time of a node (or ``total``) in ms per block; None if a plan lacks it."""

    node: str
    before_ms: float | None
    after_ms: float | None


@dataclass(frozen=True, slots=True)
class PlanDiff:
    """The differences by kind; see :class:`~voicegraph.schemas.diff_report.DiffReport`."""

    a: str
    b: str
    block_ms: tuple[float, float]
    pipeline: tuple[Change, ...] = ()
    added: tuple[Change, ...] = ()
    removed: tuple[Change, ...] = ()
    swapped: tuple[Change, ...] = ()
    params: tuple[Change, ...] = ()
    wiring: tuple[Change, ...] = ()
    ports: tuple[Change, ...] = ()
    placement: tuple[Change, ...] = ()
    latency: tuple[Change, ...] = ()
    cost: tuple[Cost, ...] | None = None

    @property
    def same(self) -> bool:
        """Whether nothing but costs differs."""
        nodes = (*self.added, *self.removed, *self.swapped, *self.params, *self.wiring)
        return not (*nodes, *self.pipeline, *self.ports, *self.placement, *self.latency)

    def as_dict(self) -> dict[str, Any]:
        """The fields of a ``DiffReport``."""
        found = asdict(self)
        listed = {k: list(v) if isinstance(v, tuple) else v for k, v in found.items()}
        return {**listed, "same": self.same}

    def __str__(self) -> str:
        """The differences as text, without a line break at the end."""
        return _render(self)


def _render(found: PlanDiff) -> str:
    parts = [[f"{found.a}  ->  {found.b}"]]
    if found.same:
        parts.append(["The plans are the same."])
    if found.added or found.removed or found.swapped:
        parts.append(["nodes", *_nodes(found)])
    for title, changes in (
        ("pipeline", found.pipeline),
        ("params", found.params),
        ("wiring", found.wiring),
        ("types and spans", found.ports),
        ("placement", found.placement),
        ("latency", found.latency),
    ):
        if changes:
            parts.append([title, *_lines(changes)])
    if found.cost is not None:
        parts.append(["cost", *_costs(found.cost, found.block_ms)])
    return "\n\n".join("\n".join(part) for part in parts)


def _nodes(found: PlanDiff) -> list[str]:
    return [
        *(f"  + {c.what}  {c.after}" for c in found.added),
        *(f"  - {c.what}  {c.before}" for c in found.removed),
        *(f"  ~ {c.what}  {c.before} -> {c.after}" for c in found.swapped),
    ]


def _lines(changes: tuple[Change, ...]) -> list[str]:
    rows = [[f"  {c.what}", _shown(c.before), "->", _shown(c.after)] for c in changes]
    columns = (Column(""), Column("", wraps=True), Column(""), Column("", wraps=True))
    return table(columns, rows, headings=False)


def _shown(value: str | None) -> str:
    return "(none)" if value is None else value


def _costs(costs: tuple[Cost, ...], blocks: tuple[float, float]) -> list[str]:
    """The change is per second of audio, since block lengths may differ."""
    columns = (
        Column("  median ms per block"),
        Column("before", right=True),
        Column("after", right=True),
        Column("change", right=True),
    )
    scale = blocks[0] / blocks[1]
    rows = [
        [f"  {c.node}", _ms(c.before_ms), _ms(c.after_ms), _ratio(c.before_ms, c.after_ms, scale)]
        for c in costs
    ]
    loads = [
        f"{(value or 0.0) / block * 100:.2f} %"
        for value, block in zip((costs[-1].before_ms, costs[-1].after_ms), blocks, strict=True)
    ]
    return table(columns, [*rows, ["  share of the block", *loads, ""]])


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _ratio(before: float | None, after: float | None, scale: float) -> str:
    if not before or after is None:
        return ""
    return f"{(after * scale / before - 1) * 100:+.0f} %"
