"""A compiled pipeline: order and devices of its nodes, and the interval of time at each port.

A plan is plain data that depends on neither weights nor the machine. ``voicegraph.Plan`` adds the
methods that users call: ``session``, ``explain``, ``draw``.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any, Literal, Protocol

from voicegraph.schemas.quantities import format_duration

from .errors import Mark, PipelineError, Problem
from .file_contents import FileContent, files_read
from .library_value import LibraryValue
from .node import Node, NodeParams
from .ports import PortRef, PortSpec
from .precision import PrecisionChoice
from .signals import Audio, SignalType

HASH_RULE = "2-"
"""Begins every hash. Hashes without a rule are of an older one: names and sizes of files."""


def is_older_hash(plan: str) -> bool:
    """Whether a plan's hash was made by the older rule, so that it cannot be compared."""
    return re.fullmatch("[0-9a-f]{16}", plan) is not None


@dataclass(frozen=True, slots=True)
class Link:
    """The source of an input.

    Attributes:
        source: the output port it reads.
        feedback: whether it closes a loop and reads values of earlier ticks.
        copied: whether the values are copied between devices.
    """

    source: PortRef
    feedback: bool = False
    copied: bool = False


@dataclass(frozen=True, slots=True)
class FileWrite:
    """A file that a node writes.

    Attributes:
        param: the param that names it.
        path: its absolute path, as written.
        mark: where it was written.
        own: whether the user gave it, with ``--set`` or in Python; otherwise a pipeline file did.
        confined: whether the pipeline is confined, so that nobody counts as the user.
    """

    param: str
    path: Path
    mark: Mark
    own: bool
    confined: bool = False


@dataclass(frozen=True, slots=True)
class PlannedNode:
    """One node of a plan.

    Attributes:
        latency: delay up to its outputs, in seconds.
        dropped: names of params that were dropped because ``use`` was changed.
        unused: inputs in the file that the node does not have with these params.
    """

    name: str
    node: Node
    params: NodeParams
    device: str
    dtype: str
    fallback: str | None
    inputs: Mapping[str, Link]
    latency: Fraction
    dropped: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    writes: tuple[FileWrite, ...] = ()

    @property
    def files(self) -> dict[str, Path]:
        """Files and folders that it reads, by ``node.param``."""
        found = files_read(self.params)
        return {f"{self.name}.{param}": path for param, path in found.items()}

    @property
    def use(self) -> str:
        """The registered name of its class."""
        return self.node.use

    @property
    def given(self) -> Mapping[str, PortSpec]:
        """The type and interval that each input gets."""
        return self.node.given

    @property
    def asked(self) -> Mapping[str, PortSpec]:
        """The type and interval that each output has to give."""
        return self.node.asked


@dataclass(frozen=True, slots=True)
class Latency:
    """Delays in seconds, kept apart because their sum would be misleading.

    Attributes:
        algorithmic: look-ahead and overlap: the delay of the output against the input of its tick.
        buffering: one block to fill and one to play, in a live session.
    """

    algorithmic: Fraction
    buffering: Fraction


@dataclass(frozen=True, slots=True)
class Settings:
    """Settings of a pipeline file that apply to the whole pipeline."""

    seed: int
    threads: int | None
    on_nan: Literal["error", "silence"]
    on_late: Literal["fade", "silence", "dry"]


class PlanOrigin(Protocol):
    """The pipeline that a plan was compiled from, as a running session uses it."""

    @property
    def profiles(self) -> tuple[str, ...]:
        """Names of the profiles that the pipeline offers."""
        ...

    @property
    def active_profiles(self) -> tuple[str, ...]:
        """Names of the profiles in force."""
        ...

    def with_profiles(self, *names: str) -> PlanOrigin:
        """The same pipeline with these profiles in place of those in force."""
        ...

    def changed(self, overrides: Mapping[str, Any]) -> PlanOrigin:
        """The same pipeline with further overrides by dotted path."""
        ...

    def compile(
        self,
        source: Audio | None = None,
        target: Audio | None = None,
        latency: Fraction = Fraction(0),
    ) -> CompiledPlan:
        """The static plan."""
        ...


@dataclass(slots=True, weakref_slot=True)
class CompiledPlan:
    """A compiled pipeline as plain data; users hold its subclass ``voicegraph.Plan``.

    Attributes:
        name: the pipeline's name.
        block: the block, in seconds.
        source: the audio type that sessions take: the file's ``input``, or that of a driver.
        target: the audio type that a driver takes; None if none was given.
        nodes: the nodes in the order in which they run.
        output: the port whose blocks sessions return.
        latency: algorithmic and buffering.
        settings: seed, threads and policies.
        bypassed: nodes that are switched off.
        pruned: nodes from which nothing reaches the output.
        loaded: device of each node whose weights are loaded; sessions share the weights.
        precisions: what each loaded node computes in.
        held: the minimum latency that was requested, in seconds.
        files: what each file that it reads contained when it was compiled, by ``node.param``.
        origin: the pipeline it was compiled from; None if it cannot be changed.
        taken: what the card of its voice gave, where the pipeline left it open.
    """

    name: str
    path: Path | None
    block: Fraction
    source: Audio
    nodes: tuple[PlannedNode, ...]
    output: PortRef
    output_type: SignalType
    latency: Latency
    settings: Settings
    bypassed: tuple[str, ...] = ()
    pruned: tuple[str, ...] = ()
    loaded: dict[str, str] = field(default_factory=dict, repr=False, compare=False)
    precisions: dict[str, PrecisionChoice] = field(default_factory=dict, repr=False, compare=False)
    target: Audio | None = field(default=None, compare=False)
    held: Fraction = field(default=Fraction(0), compare=False)
    files: Mapping[str, FileContent] = field(default_factory=dict, repr=False, compare=False)
    origin: PlanOrigin | None = field(default=None, repr=False, compare=False)
    taken: tuple[LibraryValue, ...] = field(default=(), repr=False, compare=False)

    @property
    def samples_in(self) -> int:
        """Samples of an input block."""
        return int(self.block * self.source.rate)

    @property
    def samples_out(self) -> int:
        """Samples or frames of an output block."""
        return int(self.block * self.output_type.rate)

    @property
    def latency_out(self) -> int:
        """The algorithmic latency in samples or frames of the output."""
        return int(self.latency.algorithmic * self.output_type.rate)

    def find(self, name: str) -> PlannedNode:
        """A node by name.

        Raises:
            PipelineError: if the plan has no such node; says whether it was pruned or bypassed.
        """
        for planned in self.nodes:
            if planned.name == name:
                return planned
        why = "it is not in the plan; nodes: " + ", ".join(n.name for n in self.nodes)
        if name in self.pruned:
            why = "it was pruned, because nothing that reaches the output uses it"
        elif name in self.bypassed:
            why = "it is switched off (enabled)"
        raise PipelineError(Problem("no-such-node", f"{name}: {why}"))

    def port(self, ref: str) -> PortRef:
        """A port by text, ``node`` or ``node.port``; the input is ``input``.

        Raises:
            PipelineError: if there is no such port.
        """
        # The longest node name that fits wins: a driver's nodes carry a dot (`input.resample`).
        names = sorted(("input", *(n.name for n in self.nodes)), key=len, reverse=True)
        name = next(
            (n for n in names if ref == n or ref.startswith(f"{n}.")), ref.partition(".")[0]
        )
        port = ref[len(name) + 1 :]
        if name == "input":
            ports = ["audio"]
        else:
            ports = list(self.find(name).node.output_types)
        if not port:
            return PortRef(name, ports[0])
        if port not in ports:
            text = f"{name} has no output `{port}`; it has: {', '.join(ports)}"
            raise PipelineError(Problem("unknown-port", text))
        return PortRef(name, port)

    def spec(self, ref: PortRef) -> PortSpec:
        """Type and interval of a port at each tick."""
        if ref.node == "input":
            from .intervals import Interval

            span = Interval(-self.block, Fraction(0))
            return PortSpec(self.source, span, span, False)
        return self.find(ref.node).asked[ref.port]

    @property
    def hash(self) -> str:
        """Identifies everything that affects the output; snapshots and recordings contain it.

        It is made of the contents that files had when the plan was compiled: neither their names
        and folders nor the pipeline's name matter, and it never changes.
        """
        described: dict[str, Any] = {**self.describe(), "name": None}
        for planned, node in zip(self.nodes, described["nodes"], strict=True):
            node["params"] |= self._contents(planned)
        text = json.dumps(described, sort_keys=True)
        return HASH_RULE + hashlib.sha256(text.encode()).hexdigest()[:16]

    def _contents(self, planned: PlannedNode) -> dict[str, Any]:
        """The params that hold files, by the contents of these."""
        found: dict[str, Any] = dict.fromkeys(planned.params.file_fields())
        for name in files_read(planned.params):
            content = self.files.get(f"{planned.name}.{name}")
            found[name] = content and content.sha256
        return found

    def describe(self) -> dict[str, Any]:
        """The plan as JSON values, the same for the same pipeline on every machine."""
        return {
            "name": self.name,
            "block": format_duration(self.block),
            "input": str(self.source),
            "output": {"port": str(self.output), "type": str(self.output_type)},
            "latency": {
                "algorithmic": format_duration(self.latency.algorithmic),
                "buffering": format_duration(self.latency.buffering),
            },
            "settings": {
                "seed": self.settings.seed,
                "threads": self.settings.threads,
                "on_nan": self.settings.on_nan,
                "on_late": self.settings.on_late,
            },
            "nodes": [_describe(planned, self.files) for planned in self.nodes],
            "bypassed": list(self.bypassed),
            "pruned": list(self.pruned),
        }


def _describe(planned: PlannedNode, files: Mapping[str, FileContent]) -> dict[str, Any]:
    return {
        "name": planned.name,
        "use": planned.use,
        "params": _describe_params(planned, files),
        "device": planned.device,
        "dtype": planned.dtype,
        "inputs": {
            port: {
                "from": str(link.source),
                "interval": str(planned.given[port].interval),
                "feedback": link.feedback,
                "copied": link.copied,
            }
            for port, link in planned.inputs.items()
        },
        "outputs": {
            port: {
                "type": str(spec.type),
                "interval": str(spec.interval),
                "core": str(spec.core),
                "window": spec.window,
            }
            for port, spec in planned.asked.items()
        },
    }


def _describe_params(planned: PlannedNode, files: Mapping[str, FileContent]) -> dict[str, Any]:
    """The params; a file by its name and contents, so that its folder does not matter."""
    described = planned.params.model_dump(mode="json")
    for name in planned.params.file_fields():
        path = getattr(planned.params, name)
        if isinstance(path, Path):
            content = files.get(f"{planned.name}.{name}")
            described[name] = {
                "file": path.name,
                "bytes": content and content.size,
                "sha256": content and content.sha256,
            }
    return described
