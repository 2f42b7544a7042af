"""A bundle: the networks of a pipeline, its plan as data, and values to check other programs by.

A bundle is a folder. ``manifest.json`` is a :class:`BundleManifest`, ``plan.json`` a
:class:`BundlePlan`; all other files are named by these two, relative to the folder. Times are exact
seconds as text (``-1/100``), relative to the newest input sample of a tick: see ``docs/design.md``,
"Intervals".
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from .export_report import ExportReport
from .report import Report

MANIFEST, PLAN = "manifest.json", "plan.json"
FORMAT = 1
"""Of the folder; a new one if a program that reads this one would read it wrongly."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class BundlePort(_Part):
    """What a port holds at every tick."""

    kind: Literal["audio", "features", "pitch", "mask"]
    """Shapes, of one stream: audio ``[1, width, count]``, features ``[1, count, width]``, pitch in
    Hz and mask ``[1, count]``; all float32."""
    rate: str
    """Values a second, as a fraction."""
    width: int
    """Channels or dimensions; 1 for pitch and masks."""
    start: str
    """Start of the interval of time that the values cover."""
    end: str
    """End of the interval."""
    core_start: str
    """Start of the part that the reader uses."""
    core_end: str
    """End of the part that the reader uses."""
    window: bool
    """Whether the whole interval is computed anew at every tick. Otherwise the port is a stream: a
    reader of more than the newest block keeps older values, zeros before the first block."""
    count: int
    """Values along the time axis."""


class BundleInput(_Part):
    """An input of a node."""

    source: str
    """The output it reads, ``node.port``; ``input.audio`` is the bundle's input."""
    feedback: bool
    """Whether it reads the values of the tick before."""
    given: BundlePort
    """What it gets."""


class BundleNode(_Part):
    """One node, in the order of execution."""

    name: str
    """Its name in the pipeline."""
    use: str
    """Its class, which docs/nodes.md describes."""
    params: dict[str, Any]
    """All params. A file is its path in the bundle, or null if the bundle does not hold it."""
    seed: int
    """Of its random numbers."""
    inputs: dict[str, BundleInput]
    """By port."""
    outputs: dict[str, BundlePort]
    """By port."""
    network: str | None = None
    """Its network, a file of the bundle."""


class BundlePlan(_Part):
    """A compiled pipeline as data: enough to run it without compiling it."""

    format: int = FORMAT
    """Format of the bundle."""
    name: str
    """Name of the pipeline."""
    block: str
    """Seconds of a block."""
    input: BundlePort
    """A block of input."""
    output: str
    """The port whose newest block is the output, ``node.port``."""
    samples_out: int
    """Values of an output block."""
    latency: int
    """Values by which the output is later than the input."""
    nodes: list[BundleNode]
    """In the order of execution."""


class BundleTensor(_Part):
    """An input, output or state of a network."""

    axes: list[int | str]
    """Sizes; a name is a size that may change from call to call."""
    dtype: str
    """Such as ``float32``."""
    description: str = ""
    """What it is, with its unit."""


class BundleNetwork(_Part):
    """A network: ``(inputs, state) -> (outputs, next state)``."""

    file: str
    """Its file."""
    form: str
    """Its form, such as ``onnx``."""
    inputs: dict[str, BundleTensor]
    """By name."""
    outputs: dict[str, BundleTensor]
    """By name."""
    state: dict[str, BundleTensor]
    """Goes in as ``NAME`` and comes out as ``NAME_next``."""
    check: str
    """Values of one call, ``.npz``: ``in.NAME``, ``state.NAME``, ``out.NAME``, ``next.NAME``."""
    begin: str | None = None
    """The state at the beginning of a stream, ``.npz``: ``NAME``; null without state."""


class BundleFile(_Part):
    """A file of the bundle."""

    path: str
    """Relative, with slashes."""
    bytes: int = Field(ge=0)
    """Its size."""
    sha256: str
    """Hash of its contents, in hexadecimal."""


class BundleManifest(_Part):
    """What a bundle holds: ``manifest.json``."""

    format: int = FORMAT
    """Format of the bundle."""
    pipeline: str
    """Name of the pipeline."""
    hash: str
    """Identifies the plan and the contents of all files that it read."""
    made_with: dict[str, str]
    """Versions of the programs that made it, by name."""
    networks: dict[str, BundleNetwork]
    """By node."""
    without_network: list[str]
    """Nodes that have none: their arithmetic is in docs/nodes.md and the values in ``checks``."""
    checks: dict[str, str]
    """For each node values of one block, ``.npz``: ``in.PORT``, ``out.PORT``, and its state before
    and after it as ``state.NAME`` and ``next.NAME``."""
    blocks: str
    """The first blocks of a recording, ``.npz``: ``input`` ``[channels, samples]``, ``output``."""
    files: list[BundleFile]
    """All other files of the folder."""


class BundleCheck(Report):
    """One comparison of ``voicegraph bundle check``."""

    part: str
    """The network or node, or ``blocks`` for the whole plan."""
    difference: float | None
    """The largest difference; null if it could not be computed."""
    within: float
    """What is allowed."""
    passed: bool
    """Whether it is within."""


class BundleCheckReport(Report):
    """``voicegraph bundle check --json``."""

    ok: bool
    """Whether everything passed."""
    pipeline: str
    """Name of the pipeline."""
    hash: str
    """Of the plan."""
    checks: list[BundleCheck]
    """What was compared."""
    not_run: list[str]
    """Nodes that this runtime does not implement, so that the plan could not be run as a whole."""


class BundleRunReport(Report):
    """``voicegraph bundle run --json``."""

    source: str
    """The sound file that was read."""
    target: str
    """The sound file that was written."""
    seconds: float
    """Its length."""
    compute_s: float
    """Time that the blocks took."""
    latency_ms: float
    """Algorithmic latency, which is compensated in the file."""
    notes: list[str]
    """How the sound was converted before."""


class BundleReport(Report):
    """``voicegraph export --all --json``."""

    path: str
    """The folder that was written."""
    pipeline: str
    """Name of the pipeline."""
    hash: str
    """Of the plan."""
    networks: list[ExportReport]
    """Networks, with their paths in the folder."""
    without_network: list[str]
    """Nodes that have none."""
    size_bytes: int
    """Size of the folder."""
