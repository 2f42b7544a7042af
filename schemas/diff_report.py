"""What differs between two plans, as plain data: ``voicegraph diff --json``."""

from __future__ import annotations

from voicegraph.schemas.report import Report


class ChangeReport(Report):
    """One value that differs."""

    what: str
    """What it belongs to: ``f0``, ``f0.floor``, ``algorithmic latency``."""
    before: str | None
    """Its value in the first plan; null if it is not there."""
    after: str | None
    """Its value in the second plan; null if it is not there."""


class CostReport(Report):
    """What one node, or a whole block, costs in each plan."""

    node: str
    """The node; ``total`` for the whole block."""
    before_ms: float | None
    """Median compute time a block in the first plan; null if the node is not there."""
    after_ms: float | None
    """The same in the second plan."""


class DiffReport(Report):
    """``voicegraph diff --json``. Every list is empty where nothing differs."""

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
    """Nodes of the second plan alone; ``after`` is what they are."""
    removed: list[ChangeReport]
    """Nodes of the first plan alone; ``before`` is what they were."""
    swapped: list[ChangeReport]
    """Nodes of one name that are something else."""
    params: list[ChangeReport]
    """Params of nodes that are in both, by ``node.param``."""
    wiring: list[ChangeReport]
    """What inputs read, by ``node.port``."""
    ports: list[ChangeReport]
    """Types and spans of ports, by ``node.port``; spans relative to what the node makes."""
    placement: list[ChangeReport]
    """Devices and precisions."""
    latency: list[ChangeReport]
    """Algorithmic and buffering latency, and the latency up to each node, in ms."""
    cost: list[CostReport] | None
    """Measured compute times; null if nothing was measured."""
