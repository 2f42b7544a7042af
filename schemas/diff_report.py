"""The differences of two plans as plain data: ``voicegraph diff --json``."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class ChangeReport(Report):
    """One value that differs."""

    what: str
    """What it belongs to: ``f0``, ``f0.floor``, ``algorithmic latency``."""
    before: str | None
    """Its value in the first plan; null if it is absent."""
    after: str | None
    """Its value in the second plan; null if it is absent."""


class CostReport(Report):
    """Compute time of one node, or of a whole block, in each plan."""

    node: str
    """The node; ``total`` for the whole block."""
    before_ms: float | None
    """Median compute time per block in the first plan; null if it lacks the node."""
    after_ms: float | None
    """The same in the second plan."""


class DiffReport(Report):
    """``voicegraph diff --json``. Lists without differences are empty."""

    a: str
    """The first plan, as it was named."""
    b: str
    """The second plan, as it was named."""
    block_ms: list[float]
    """The block of each plan."""
    same: bool
    """Whether the plans are the same; costs do not count."""
    pipeline: list[ChangeReport]
    """Block, input, output, settings, nodes that are switched off or pruned."""
    added: list[ChangeReport]
    """Nodes of only the second plan; ``after`` is their class."""
    removed: list[ChangeReport]
    """Nodes of only the first plan; ``before`` is their class."""
    swapped: list[ChangeReport]
    """Nodes of the same name with another class."""
    params: list[ChangeReport]
    """Params of nodes that are in both, by ``node.param``."""
    wiring: list[ChangeReport]
    """Sources of inputs, by ``node.port``."""
    ports: list[ChangeReport]
    """Types and spans of ports, by ``node.port``; spans relative to the node's output."""
    placement: list[ChangeReport]
    """Devices and precisions."""
    latency: list[ChangeReport]
    """Algorithmic and buffering latency, and the latency up to each node, in ms."""
    cost: list[CostReport] | None
    """Measured compute times; null if nothing was measured."""
