"""A compiled pipeline as plain data, for ``explain``, ``draw`` and ``diff``.

Times are milliseconds relative to the newest input sample of a tick, so they are at most 0, and the
end of a span is minus the latency up to that point.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from voicegraph.schemas.report import FileUse, Report


class OriginReport(Report):
    """The model that an input must come from, compared with the model that it comes from."""

    noun: str
    """The kind of model, such as `content encoder`."""
    wanted: str | None
    """The model that the node was trained with; null if its file does not state it."""
    wanted_name: str
    """Its name, which is not compared; may be empty."""
    wanted_by: str
    """Name of that file."""
    found: str | None
    """The model that the signal comes from; null if that is not stated."""
    found_in: str | None
    """Name of its file."""
    outcome: Literal["same", "another", "not stated"]
    """``another`` is allowed only if a param of the node says so."""


class InputReport(Report):
    """What one input of a node receives at every tick."""

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
    """How far that span begins before the node's output span."""
    look_ahead_ms: float
    """How far it ends after the node's output span; negative for a delay."""
    window: bool
    """Whether the span is recomputed at every tick."""
    feedback: bool
    """Whether the edge closes a loop, and reads the output of earlier ticks."""
    copied_to: str | None
    """The device that the values are copied to on the way."""
    origin: OriginReport | None
    """The model that the values must come from; null if any will do."""


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
    """True: the whole span is recomputed at every tick. False: one block of a stream."""
    count: int
    """Samples or frames at every tick."""


class ApproximationReport(Report):
    """Something that a node computes less exactly than it could, to save time or latency."""

    param: str
    """The param that controls it."""
    value: Any
    """The value that it has."""
    meaning: str
    """What is left out, or taken from earlier ticks."""
    exact: str | int | float | bool | None
    """The value that switches it off."""


class NodeReport(Report):
    """One node of the plan."""

    name: str
    """Its name in the pipeline."""
    use: str
    """The node class, as ``family.name``."""
    driver: bool
    """Whether the driver added it, to convert its audio to the type in the file."""
    device: str
    """The device it runs on."""
    fallback: str | None
    """The device it runs on if that one is missing."""
    dtype: str
    """The precision it computes in."""
    params: dict[str, Any]
    """All params with defaults, in the form of a pipeline file."""
    dropped: list[str]
    """Params in the file that belong to a node that was replaced."""
    unused: list[str]
    """Inputs in the file that the node does not use with these params."""
    latency_ms: float
    """How far its newest output is behind the newest input."""
    inputs: list[InputReport]
    """In the order of the node's ports."""
    outputs: list[OutputReport]
    """In the order of the node's ports."""
    approximations: list[ApproximationReport] = Field(default_factory=list)
    """What it computes less exactly than it could."""
    unrepeatable: list[str] = Field(default_factory=list)
    """Why two runs of the same input may differ."""


class CopyReport(Report):
    """A copy between devices at every tick."""

    source: str
    """The port that is copied."""
    from_device: str
    """The device of the node that writes the values."""
    to_device: str
    """The device of the node that reads them."""
    before: str | None
    """The first node that reads the copy; null for the pipeline's output."""


class LatencyShare(Report):
    """A part of the algorithmic latency."""

    node: str | None
    """The node with look-ahead (if negative, a delay); null for rounding."""
    port: str | None
    """The input with look-ahead."""
    ms: float
    """Its share; the shares add up to the algorithmic latency."""
    most_gain_ms: float | None
    """What shortening it can gain at most, before another path decides; null if all of it."""
    next_node: str | None
    """The node that decides the latency then."""


class LatencyReport(Report):
    """The latencies of a plan; the latency of devices is known only live."""

    algorithmic_ms: float
    """Look-ahead and overlap: how far the output is behind the input of its tick."""
    buffering_ms: float
    """One block to fill and one to play, in a live session."""
    shares: list[LatencyShare]
    """Causes of the algorithmic latency, from the input to the output."""


class LibraryValueReport(Report):
    """A value that the pipeline left open, and the card of its voice in the library gave."""

    path: str
    """Dotted path of the value."""
    value: Any
    """What was taken; a file of the library is ``library:NAME``."""
    instead: Any
    """What the pipeline has there."""
    why: str
    """What it is, and how it was chosen."""


class PlanReport(Report):
    """A compiled pipeline: ``voicegraph explain --json``."""

    name: str
    """The pipeline's name."""
    hash: str
    """Identifies everything that affects the output."""
    block_ms: float
    """The block length."""
    input: OutputReport
    """The pipeline's input at every tick, as a port."""
    output: str
    """The port that is the pipeline's output."""
    output_type: str
    """Its signal type."""
    output_count: int
    """Samples or frames of output at every tick."""
    latency: LatencyReport
    """The named latencies."""
    settings: dict[str, Any]
    """``seed``, ``threads``, ``on_nan``, ``on_late``."""
    nodes: list[NodeReport]
    """In the order of execution."""
    copies: list[CopyReport]
    """In the order of execution."""
    bypassed: list[str]
    """Nodes that are switched off; they pass their input through."""
    pruned: list[str]
    """Nodes that the output does not use."""
    reads: list[FileUse] = Field(default_factory=list)
    """The files that it reads."""
    writes: list[FileUse] = Field(default_factory=list)
    """The files that its nodes write."""
    voice: str | None = None
    """The voice of the library that it speaks with, if its var ``voice`` names one."""
    library: list[LibraryValueReport] = Field(default_factory=list)
    """What the card of that voice gave."""
