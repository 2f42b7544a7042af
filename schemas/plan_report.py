"""A compiled pipeline as plain data: what ``explain``, ``draw`` and ``diff`` show.

Times are milliseconds relative to the newest input sample of a tick, so they are at most 0, and the
end of a span is minus the latency up to there.
"""

from __future__ import annotations

from typing import Any, Literal

from voicegraph.schemas.report import Report


class OriginReport(Report):
    """Which model must have made what an input takes, held against the one that did."""

    noun: str
    """What sort of model, such as `content encoder`."""
    wanted: str | None
    """The model that the node goes with; null where its file does not state it."""
    wanted_name: str
    """Its name, which is not compared; may be empty."""
    wanted_by: str
    """Name of that file."""
    found: str | None
    """The model that made what comes; null where that is not stated."""
    found_in: str | None
    """Name of its file."""
    outcome: Literal["same", "another", "not stated"]
    """Another one passes only where the node was told so."""


class InputReport(Report):
    """What one input of a node is given at every tick."""

    port: str
    """The input."""
    source: str
    """The output it reads: ``node.port``, or ``input.audio``."""
    type: str
    """The signal type, such as ``audio 16000 Hz x1``."""
    start_ms: float
    """Start of the span it is given."""
    end_ms: float
    """End of the span it is given."""
    look_back_ms: float
    """How far that span begins before what the node makes of it."""
    look_ahead_ms: float
    """How far it ends after what the node makes of it; negative for a delay."""
    window: bool
    """Whether the span is estimated afresh at every tick."""
    feedback: bool
    """Whether the edge closes a loop, and reads what earlier ticks made."""
    copied_to: str | None
    """The device that the values are copied to on the way."""
    origin: OriginReport | None
    """Which model must have made the values; null where that does not matter."""


class OutputReport(Report):
    """What one output of a node gives at every tick."""

    port: str
    """The output."""
    type: str
    """The signal type."""
    start_ms: float
    """Start of the span it covers."""
    end_ms: float
    """End of the span it covers."""
    window: bool
    """True: the whole span is estimated afresh at every tick. False: one block of a stream."""
    count: int
    """Samples or frames at every tick."""


class NodeReport(Report):
    """One node in its place."""

    name: str
    """Its name in the pipeline."""
    use: str
    """Which node it is, as ``family.name``."""
    driver: bool
    """Whether the driver added it, to bring its audio to what the file declares."""
    device: str
    """Where it runs."""
    fallback: str | None
    """Where it runs instead if that device is missing."""
    dtype: str
    """The precision it computes in."""
    params: dict[str, Any]
    """All of them, defaults included, as a file would write them."""
    dropped: list[str]
    """Params in the file that were written for a node that was swapped out."""
    unused: list[str]
    """Inputs in the file that the node, with these params, does without."""
    latency_ms: float
    """How far its newest output lies behind the newest input."""
    inputs: list[InputReport]
    """In the order of the node's ports."""
    outputs: list[OutputReport]
    """In the order of the node's ports."""


class CopyReport(Report):
    """Values that move between devices at every tick."""

    source: str
    """The port that is copied."""
    from_device: str
    """Where the values are made."""
    to_device: str
    """Where they are needed."""
    before: str | None
    """The first node that reads the copy; null for the pipeline's output."""


class LatencyShare(Report):
    """A part of the algorithmic latency."""

    node: str | None
    """The node that reads ahead (or, where negative, delays); null for the last part."""
    port: str | None
    """The input by which it reads ahead."""
    ms: float
    """Its share; the shares add up to the algorithmic latency."""


class LatencyReport(Report):
    """The latencies that a plan knows; what a device adds is known only live."""

    algorithmic_ms: float
    """Look-ahead and overlap: how far the output lies behind the input of its tick."""
    buffering_ms: float
    """One block to fill and one to play, in a live session."""
    shares: list[LatencyShare]
    """Where the algorithmic latency comes from, from the input to the output."""


class PlanReport(Report):
    """A compiled pipeline: ``voicegraph explain --json``."""

    name: str
    """The pipeline's name."""
    hash: str
    """Identifies everything that decides the numbers."""
    block_ms: float
    """The step."""
    input: OutputReport
    """What goes in at every tick, as a port."""
    output: str
    """The port that comes out."""
    output_type: str
    """Its signal type."""
    output_count: int
    """Samples or frames that come out at every tick."""
    latency: LatencyReport
    """The named latencies."""
    settings: dict[str, Any]
    """``seed``, ``threads``, ``on_nan``, ``on_late``."""
    nodes: list[NodeReport]
    """In the order they run."""
    copies: list[CopyReport]
    """In the order they happen."""
    bypassed: list[str]
    """Nodes that are switched off; they pass their input through."""
    pruned: list[str]
    """Nodes from which nothing reaches the output."""
