"""The engine: runs the nodes of a plan at each tick, as one pass over a flat list."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import Future, wait
from fractions import Fraction
from time import perf_counter_ns
from typing import Any, Protocol

import torch

from voicegraph.schemas.engine_setup import ThreadLayout, TriedLayout

from ..errors import VoicegraphError
from ..node import Node, State
from ..plan import CompiledPlan, PlannedNode
from ..ports import PortRef, PortSpec
from ._edges import DeviceCopyEdge, DirectEdge, Edge, HistoryEdge, Slice, SlicedEdge, Values
from ._node_failure import node_failure
from .timing import KEPT, TimingRing

_KEPT_MASK = KEPT - 1
TraceHook = Callable[[str, int, int, int], None]
"""Called with a node's name, start, duration (ns) and lane (0: the engine, 1..: workers)."""


class Step:
    """One node in an engine: its params and state, its inputs, and the readers of its outputs.

    Attributes:
        lane: the worker that runs it; 0: the thread of the tick.
        followers: steps that its worker runs after it.
        waits: steps of workers that must be done before it.
    """

    __slots__ = (
        "direct",
        "followers",
        "future",
        "gather",
        "lane",
        "name",
        "node",
        "outputs",
        "params",
        "publish",
        "ring",
        "state",
        "streams",
        "waits",
    )

    def __init__(self, planned: PlannedNode, streams: int) -> None:
        self.name = planned.name
        self.node: Node = planned.node
        self.params: Any = planned.params  # one model, or a list with one per stream
        self.streams = streams
        self.state: State | None = planned.node.state(planned.params, streams)
        self.gather: tuple[tuple[str, int], ...] = ()
        self.direct: tuple[tuple[str, int], ...] = ()
        self.publish: tuple[tuple[str, Edge], ...] = ()
        self.outputs: Any = {}
        self.ring = TimingRing()
        self.lane = 0
        self.followers: tuple[Step, ...] = ()
        self.waits: tuple[Step, ...] = ()
        self.future: Future[None] | None = None

    def run(self, values: Values) -> None:
        """Reads the inputs, computes, and delivers the outputs.

        Raises:
            NodeFailedError: if the node raises an exception.
        """
        # A loop, because a comprehension costs a call, and this runs for every node and block.
        inputs = {}
        for port, slot in self.gather:
            inputs[port] = values[slot]
        try:
            if type(self.params) is list:
                outputs = self._run_each(inputs, self.params)
            else:
                outputs = self.node.process(inputs, self.params, self.state)
            self.outputs = outputs
            for port, slot in self.direct:
                values[slot] = outputs[port]
            for port, edge in self.publish:
                edge(values, outputs[port])
        except VoicegraphError:
            raise
        except (Exception, SystemExit) as error:  # also missing outputs, and outputs of wrong shape
            raise node_failure(self.name, self.node.use, error) from error

    def _run_each(self, inputs: dict[str, torch.Tensor], params: list[Any]) -> dict[str, Any]:
        """Runs streams with different live params one by one, on views of the same state."""
        made = [
            self.node.process(
                {port: x[i : i + 1] for port, x in inputs.items()},
                own,
                self.state.narrow(i) if self.state else None,
            )
            for i, own in enumerate(params)
        ]
        return {port: torch.cat([m[port] for m in made]) for port in made[0]}

    def reset(self, stream: int | None = None) -> None:
        """Sets the state of all streams or of one to its initial values for the current params."""
        if self.state is None:
            return
        for i in range(self.streams) if stream is None else (stream,):
            params = self.params[i] if isinstance(self.params, list) else self.params
            fresh = self.node.state(params, self.streams)
            assert fresh is not None
            for name, tensor in fresh.tensors().items():
                getattr(self.state, name)[i] = tensor[i]

    def join(self) -> None:
        """Waits for the worker that runs this step, if there is one, and raises its exception."""
        if self.future is not None:
            self.future.result()
            self.future = None


class Workers(Protocol):
    """The threads that run steps beside the thread of the tick."""

    def submit(self, run: Callable[[Step], None], step: Step, /) -> Future[None]:
        """Runs a step and its followers on the thread of its lane."""
        ...

    def shutdown(self, wait: bool = True) -> None:
        """Ends the threads."""


class Engine:
    """Executes a plan; owns the states, the histories and the current live params.

    Attributes:
        schedule: the steps in the order in which a tick runs them or hands them to workers.
        threads: threads that PyTorch may use for the session.
        layout: the threads on which the nodes run.
        tried: the layouts that were tried in the warm-up.
        pool: the workers; None if the layout has none.
    """

    def __init__(self, plan: CompiledPlan, streams: int, devices: dict[str, torch.device]) -> None:
        self.plan = plan
        self.streams = streams
        self.devices = devices
        self.steps = [Step(planned, streams) for planned in plan.nodes]
        self.by_name = {step.name: step for step in self.steps}
        self.histories: dict[str, HistoryEdge] = {}
        self.total = TimingRing()
        self.trace: TraceHook | None = None
        self.schedule: tuple[Step, ...] = tuple(self.steps)
        self.threads = torch.get_num_threads()
        self.layout = ThreadLayout(main=self.threads)
        self.tried: list[TriedLayout] = []
        self.pool: Workers | None = None
        self.values: Values = []
        self._input_edges: tuple[Edge, ...] = ()
        self._input_slots: tuple[int, ...] = ()
        self._device_of = {node.device: devices[node.name] for node in plan.nodes}
        self._output = self._newest()
        self._last, self._last_port = self.by_name.get(plan.output.node), plan.output.port
        self._wire()

    # ---- a tick -----------------------------------------------------------------------------

    def tick(self, block: torch.Tensor) -> torch.Tensor:
        """Runs all nodes on one block; must be called in inference mode.

        Args:
            block: input, ``[streams, channels, samples]``.

        Returns:
            The newest block of the output port, on that port's device.
        """
        begun = perf_counter_ns()
        values, trace = self.values, self.trace
        self.take_input(block)
        started = perf_counter_ns()
        try:
            for step in self.schedule:
                if step.waits:
                    for other in step.waits:
                        other.join()
                    started = perf_counter_ns()
                if step.lane and self.pool is not None:
                    step.future = self.pool.submit(self._on_worker, step)
                    started = perf_counter_ns()
                    continue
                step.run(values)
                ended = perf_counter_ns()  # the next node begins where this one ends
                ring = step.ring  # `TimingRing.add`, without the call
                ring.values[ring.count & _KEPT_MASK] = ended - started
                ring.count += 1
                if trace is not None:
                    trace(step.name, started, ended - started, 0)
                started = ended
            if self.pool is not None:
                for step in self.steps:
                    step.join()
        except BaseException:
            self._abandon()
            raise
        total = self.total
        total.values[total.count & _KEPT_MASK] = perf_counter_ns() - begun
        total.count += 1
        made = block if self._last is None else self._last.outputs[self._last_port]
        start, count, axis = self._output
        return made if made.shape[axis] == count else made.narrow(axis, start, count)

    def take_input(self, block: torch.Tensor) -> None:
        """Delivers the input of a tick, ``[streams, channels, samples]``, to its readers."""
        values = self.values
        for slot in self._input_slots:
            values[slot] = block
        for edge in self._input_edges:
            edge(values, block)

    def _abandon(self) -> None:
        """After a failure: waits for all workers, so that none still runs at the next tick."""
        wait([step.future for step in self.steps if step.future is not None])
        for step in self.steps:
            step.future = None

    def _on_worker(self, head: Step) -> None:
        with torch.inference_mode():
            for step in (head, *head.followers):
                started = perf_counter_ns()
                step.run(self.values)
                took = perf_counter_ns() - started
                step.ring.add(took)
                if self.trace is not None:
                    self.trace(step.name, started, took, step.lane)

    def value_of(self, ref: PortRef, block: torch.Tensor) -> torch.Tensor:
        """The value of a port at the newest tick, whose input was ``block``."""
        return block if ref.node == "input" else self.by_name[ref.node].outputs[ref.port]

    # ---- wiring -----------------------------------------------------------------------------

    def _wire(self) -> None:
        """Assigns a slot to every reader, and to every port the edges that fill the slots."""
        # Grouped by the device in the plan, even if a fallback runs, so that a snapshot
        # fits machines with and without that device.
        readers: dict[PortRef, dict[str, list[tuple[int, PortSpec, bool]]]] = {}
        slot = 0
        for planned, step in zip(self.plan.nodes, self.steps, strict=True):
            gather = []
            for port, link in planned.inputs.items():
                by_device = readers.setdefault(link.source, {})
                entry = (slot, planned.given[port], link.feedback)
                by_device.setdefault(planned.device, []).append(entry)
                gather.append((port, slot))
                slot += 1
            step.gather = tuple(gather)
        self.values = [torch.empty(0)] * slot
        for step in self.steps:
            edges = [
                (ref.port, edge)
                for ref in readers
                if ref.node == step.name
                for edge in self._edges_of(ref, readers[ref])
            ]
            # Values that are delivered unchanged need no call.
            step.direct = tuple(
                (port, slot) for port, f in edges if isinstance(f, DirectEdge) for slot in f.slots
            )
            step.publish = tuple((port, f) for port, f in edges if not isinstance(f, DirectEdge))
        source = PortRef("input", "audio")
        found = list(self._edges_of(source, readers.get(source, {})))
        self._input_slots = tuple(s for e in found if isinstance(e, DirectEdge) for s in e.slots)
        self._input_edges = tuple(edge for edge in found if not isinstance(edge, DirectEdge))

    def _newest(self) -> tuple[int, int, int]:
        """Start, length and axis of the newest block in the values of the output port.

        For a stream this is everything it makes: the latency is the smallest that serves the
        output, so a stream makes no later block.
        """
        plan = self.plan
        spec = plan.spec(plan.output)
        start = -plan.latency.algorithmic - plan.block
        return spec.index(start), plan.samples_out, spec.type.time_axis

    def _edges_of(
        self, ref: PortRef, readers: dict[str, list[tuple[int, PortSpec, bool]]]
    ) -> Iterable[Edge]:
        spec = self.plan.spec(ref)
        home = self.devices.get(ref.node, torch.device("cpu"))
        for planned, entries in readers.items():
            device = self._device_of[planned]
            edge = self._edge(ref, spec, entries, planned)
            yield edge if device == home else DeviceCopyEdge(edge, device)

    def _edge(
        self,
        ref: PortRef,
        spec: PortSpec,
        entries: list[tuple[int, PortSpec, bool]],
        planned: str,
    ) -> Edge:
        if spec.window:
            slices = [Slice(slot, spec.index(s.interval.start), s.count) for slot, s, _ in entries]
            whole = all(part.start == 0 and part.count == spec.count for part in slices)
            return DirectEdge(slices) if whole else SlicedEdge(slices, spec.type.time_axis)
        if all(s.interval == spec.interval and not back for _, s, back in entries):
            return DirectEdge([Slice(slot, 0, spec.count) for slot, _, _ in entries])
        history = self._history(spec, entries, self._device_of[planned])
        self.histories[f"{ref}@{planned}"] = history
        history.show(self.values)
        return history

    def _history(
        self, spec: PortSpec, entries: list[tuple[int, PortSpec, bool]], device: torch.device
    ) -> HistoryEdge:
        # A feedback reader runs before the port's node: what it finds ends one block earlier.
        ends = [spec.interval.end - (self.plan.block if back else 0) for _, _, back in entries]
        starts = [s.interval.start for _, s, _ in entries]
        reach = max(end - start for end, start in zip(ends, starts, strict=True))
        length = max(math.ceil(reach * spec.rate), spec.count)
        slices = [
            Slice(slot, self._index(end, length, s, spec.rate), s.count)
            for (slot, s, _), end in zip(entries, ends, strict=True)
        ]
        return HistoryEdge(spec.type, self.streams, length, slices, device)

    @staticmethod
    def _index(end: Fraction, length: int, wanted: PortSpec, rate: Fraction) -> int:
        return length - int((end - wanted.interval.start) * rate)

    # ---- state ------------------------------------------------------------------------------

    def reset(self, stream: int | None = None) -> None:
        """Resets states and histories of all streams or of one."""
        for step in self.steps:
            step.reset(stream)
        which = slice(None) if stream is None else slice(stream, stream + 1)
        for history in self.histories.values():
            history.buffer[which] = 0

    def silence(self) -> None:
        """Sets the newest outputs of all nodes to zero, for taps and files of a skipped tick."""
        for planned, step in zip(self.plan.nodes, self.steps, strict=True):
            step.outputs = {
                port: torch.zeros(spec.type.shape(self.streams, spec.count))
                for port, spec in planned.asked.items()
            }

    def tensors(self) -> dict[str, torch.Tensor]:
        """All states and histories: ``state/node.field`` and ``history/port@device`` -> tensor."""
        found = {
            f"state/{step.name}.{name}": tensor
            for step in self.steps
            if step.state is not None
            for name, tensor in step.state.tensors().items()
        }
        found.update({f"history/{name}": h.buffer for name, h in self.histories.items()})
        return found

    def clear_timings(self) -> None:
        """Clears the times measured so far."""
        self.total.clear()
        for step in self.steps:
            step.ring.clear()
