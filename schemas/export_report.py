"""What was exported, and how far it is from the node: ``voicegraph export --json``."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from voicegraph.schemas.report import Report

ExportDtype = Literal["float32", "float16"]
"""Precision of exported weights."""


class TensorReport(Report):
    """An input or output of an exported network."""

    name: str
    """Its name in the file."""
    axes: list[int | str]
    """Sizes; a name stands for one that may vary, and equal names for equal sizes."""
    dtype: str
    """Such as `float32`."""
    description: str
    """What it is, with its unit."""
    optional: bool
    """Whether a program may leave it out."""


class OutputDifference(Report):
    """How far one output is from that of the node, for one set of inputs."""

    output: str
    """Its name."""
    largest: float | None
    """Largest difference, in the unit of the output; null if it is not finite or sizes differ."""
    snr_db: float | None
    """Power of the node's output over that of the difference; null if they are equal."""
    limit: str
    """What was asked, such as `largest <= 0.0001`."""
    found: str
    """What was found, in words."""
    ok: bool
    """Whether that holds."""


class LengthReport(Report):
    """One comparison with the node."""

    sizes: dict[str, int]
    """Sizes that vary, by name; none of them is that with which the network was traced. Empty for a
    network with fixed sizes, which gets other values instead."""
    outputs: list[OutputDifference]
    """Each output; empty if it did not run."""
    node_ms: float | None
    """CPU time of the node, on one thread."""
    export_ms: float | None
    """CPU time of the file in its runtime, on one thread."""
    failure: str | None
    """Why there is nothing to compare; null if there is."""

    @property
    def ok(self) -> bool:
        """Whether something was compared, and every limit holds."""
        return self.failure is None and bool(self.outputs) and all(o.ok for o in self.outputs)


class ExportReport(Report):
    """``voicegraph export --json``."""

    node: str
    """The node in the pipeline."""
    use: str
    """Its kind, such as `synth.rvc`."""
    form: str
    """`onnx`, `torchscript` or `pt2`."""
    dtype: ExportDtype
    """Of the weights."""
    path: str
    """The file."""
    size_bytes: int
    """Its size."""
    inputs: list[TensorReport]
    """In the order in which the network takes them."""
    outputs: list[TensorReport]
    """In the order in which it gives them."""
    state: list[TensorReport]
    """What a stream remembers: goes in by this name, and comes out as NAME_next."""
    fixed: dict[str, Any] = Field(default_factory=dict)
    """Live params of the node that no input changes, and their value in the file."""
    lengths: list[LengthReport]
    """The comparisons with the node."""
