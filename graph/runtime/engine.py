"""Runs the nodes of a plan, tick by tick: a flat list, one pass, no queues."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from fractions import Fraction
from time import perf_counter_ns
from typing import Any

import torch

from ..node import Node, State
from ..plan import CompiledPlan, PlannedNode
from ..ports import PortRef, PortSpec
from ._edges import Cut, Direct, Feed, History, Moved, Sliced, Values
from .timing import Ring

TraceHook = Callable[[str, int, int, int], None]
"""Called with a node's name, start, duration (ns) and lane (0: the engine, 1..: workers)."""


class Step:
    """One node in a running session: its params, its state, where it reads and delivers."""

    __slots__ = (
        "direct",
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
        self.params: Any = planned.params  # one model, or a list with one a stream
        self.streams = streams
        self.state: State | None = planned.node.state(planned.params, streams)
        self.gather: tuple[tuple[str, int], ...] = ()
        self.direct: tuple[tuple[str, int], ...] = ()
        self.publish: tuple[tuple[str, Feed], ...] = ()
        self.outputs: Any = {}
        self.ring = Ring()
        self.lane = 0
        self.waits: tuple[Step, ...] = ()
        self.future: Future[None] | None = None

    def run(self, values: Values) -> None:
        """Reads, computes, delivers."""
        # A loop, for a comprehension is a call of its own; this runs for every node and block.
        inputs = {}
        for port, slot in self.gather:
            inputs[port] = values[slot]
        try:
            if type(self.params) is list:
                outputs = self._run_each(inputs, self.params)
            else:
                outputs = self.node.process(inputs, self.params, self.state)
        except Exception as error:
            error.add_note(f"in node {self.name} ({self.node.use})")
            raise
        self.outputs = outputs
        for port, slot in self.direct:
            values[slot] = outputs[port]
        for port, feed in self.publish:
            feed(values, outputs[port])

    def _run_each(self, inputs: dict[str, torch.Tensor], params: list[Any]) -> dict[str, Any]:
        """Streams whose live params differ run one by one on views of the same state."""
        made = [
            self.node.process(
                {port: x[i : i + 1] for port, x in inputs.items()},
                own,
                self.state.narrow(i) if self.state else None,
            )
            for i, own in enumerate(params)
        ]
        return {port: torch.cat([m[port] for m in made]) for port in made[0]}

    def begin(self, stream: int | None = None) -> None:
        """State as at the beginning, with the live params of now, for all streams or one."""
        if self.state is None:
            return
        for i in range(self.streams) if stream is None else (stream,):
            params = self.params[i] if isinstance(self.params, list) else self.params
            fresh = self.node.state(params, self.streams)
            assert fresh is not None
            for name, tensor in fresh.tensors().items():
                getattr(self.state, name)[i] = tensor[i]

    def join(self) -> None:
        """Waits for a worker, if one runs this step; raises what it raised."""
        if self.future is not None:
            self.future.result()
            self.future = None


class Engine:
    """Executes a plan. Holds everything that changes: states, histories, live params."""

    def __init__(self, plan: CompiledPlan, streams: int, devices: dict[str, torch.device]) -> None:
        self.plan = plan
        self.streams = streams
        self.devices = devices
        self.steps = [Step(planned, streams) for planned in plan.nodes]
        self.by_name = {step.name: step for step in self.steps}
        self.histories: dict[str, History] = {}
        self.total = Ring()
        self.trace: TraceHook | None = None
        self.pool: ThreadPoolExecutor | None = None
        self.values: Values = []
        self.fed_input: tuple[Feed, ...] = ()
        self._lanes = {node.device: devices[node.name] for node in plan.nodes}
        self._output = self._newest()
        self._wire()

    # ---- a tick -----------------------------------------------------------------------------

    def tick(self, block: torch.Tensor) -> torch.Tensor:
        """One block through all nodes; must be called in inference mode."""
        begun = perf_counter_ns()
        values = self.values
        for feed in self.fed_input:
            feed(values, block)
        trace, started = self.trace, perf_counter_ns()
        try:
            for step in self.steps:
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
                step.ring.add(ended - started)
                if trace is not None:
                    trace(step.name, started, ended - started, 0)
                started = ended
            if self.pool is not None:
                for step in self.steps:
                    step.join()
        except BaseException:
            self._abandon()
            raise
        self.total.add(perf_counter_ns() - begun)
        return self._result(block)

    def _abandon(self) -> None:
        """After a failure: waits for the workers, so that none runs into the next tick."""
        wait([step.future for step in self.steps if step.future is not None])
        for step in self.steps:
            step.future = None

    def _on_worker(self, step: Step) -> None:
        with torch.inference_mode():
            started = perf_counter_ns()
            step.run(self.values)
            took = perf_counter_ns() - started
        step.ring.add(took)
        if self.trace is not None:
            self.trace(step.name, started, took, step.lane)

    def _result(self, block: torch.Tensor) -> torch.Tensor:
        """The newest block of the output port."""
        ref, start, count, axis = self._output
        made = block if ref.node == "input" else self.by_name[ref.node].outputs[ref.port]
        return made if made.shape[axis] == count else made.narrow(axis, start, count)

    def made(self, ref: PortRef, block: torch.Tensor) -> torch.Tensor:
        """What passed a port at the newest tick."""
        return block if ref.node == "input" else self.by_name[ref.node].outputs[ref.port]

    # ---- wiring -----------------------------------------------------------------------------

    def _wire(self) -> None:
        """Gives every reader a slot, and every port the feeds that fill the slots."""
        # By the device that the plan names, not by where a node runs for want of it: a snapshot of
        # one machine then fits another.
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
            feeds = [
                (ref.port, feed)
                for ref in readers
                if ref.node == step.name
                for feed in self._feeds(ref, readers[ref])
            ]
            # What is only handed on needs no call.
            step.direct = tuple(
                (port, slot) for port, f in feeds if isinstance(f, Direct) for slot in f.slots
            )
            step.publish = tuple((port, f) for port, f in feeds if not isinstance(f, Direct))
        source = PortRef("input", "audio")
        self.fed_input = tuple(self._feeds(source, readers.get(source, {})))

    def _newest(self) -> tuple[PortRef, int, int, int]:
        """The output port, and where its newest block lies in what it makes: all of a stream.

        The latency is the least that serves the output, so a stream makes no later block than that.
        """
        plan = self.plan
        spec = plan.spec(plan.output)
        start = -plan.latency.algorithmic - plan.block
        return plan.output, spec.index(start), plan.samples_out, spec.type.time_axis

    def _feeds(
        self, ref: PortRef, readers: dict[str, list[tuple[int, PortSpec, bool]]]
    ) -> Iterable[Feed]:
        spec = self.plan.spec(ref)
        home = self.devices.get(ref.node, torch.device("cpu"))
        for planned, entries in readers.items():
            device = self._lanes[planned]
            feed = self._feed(ref, spec, entries, planned)
            yield feed if device == home else Moved(feed, device)

    def _feed(
        self,
        ref: PortRef,
        spec: PortSpec,
        entries: list[tuple[int, PortSpec, bool]],
        planned: str,
    ) -> Feed:
        if spec.window:
            cuts = [Cut(slot, spec.index(s.interval.start), s.count) for slot, s, _ in entries]
            whole = all(cut.start == 0 and cut.count == spec.count for cut in cuts)
            return Direct(cuts) if whole else Sliced(cuts, spec.type.time_axis)
        if all(s.interval == spec.interval and not back for _, s, back in entries):
            return Direct([Cut(slot, 0, spec.count) for slot, _, _ in entries])
        history = self._history(spec, entries, self._lanes[planned])
        self.histories[f"{ref}@{planned}"] = history
        history.show(self.values)
        return history

    def _history(
        self, spec: PortSpec, entries: list[tuple[int, PortSpec, bool]], device: torch.device
    ) -> History:
        # A feedback reader comes before the port is made: what it finds ends one block earlier.
        ends = [spec.interval.end - (self.plan.block if back else 0) for _, _, back in entries]
        starts = [s.interval.start for _, s, _ in entries]
        reach = max(end - start for end, start in zip(ends, starts, strict=True))
        length = max(math.ceil(reach * spec.rate), spec.count)
        cuts = [
            Cut(slot, self._index(end, length, s, spec.rate), s.count)
            for (slot, s, _), end in zip(entries, ends, strict=True)
        ]
        return History(spec.type, self.streams, length, cuts, device)

    @staticmethod
    def _index(end: Fraction, length: int, wanted: PortSpec, rate: Fraction) -> int:
        return length - int((end - wanted.interval.start) * rate)

    # ---- state ------------------------------------------------------------------------------

    def reset(self, stream: int | None = None) -> None:
        """States and histories as at the beginning, for all streams or one."""
        for step in self.steps:
            step.begin(stream)
        which = slice(None) if stream is None else slice(stream, stream + 1)
        for history in self.histories.values():
            history.buffer[which] = 0

    def tensors(self) -> dict[str, torch.Tensor]:
        """Everything the streams remember, by ``state/node.field`` and ``history/port@device``."""
        found = {
            f"state/{step.name}.{name}": tensor
            for step in self.steps
            if step.state is not None
            for name, tensor in step.state.tensors().items()
        }
        found.update({f"history/{name}": h.buffer for name, h in self.histories.items()})
        return found

    def clear_timings(self) -> None:
        """Forgets the times measured so far."""
        self.total.clear()
        for step in self.steps:
            step.ring.clear()
