"""A session of the C interface: interleaved blocks in and out, beside what a status reads."""

from __future__ import annotations

import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from voicegraph.graph.errors import PipelineError, Problem, StateError
from voicegraph.graph.runtime.fault_recovery import Fault, Recovered
from voicegraph.graph.signals import Audio

from .call_errors import FramesError

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Plan

_MESSAGES = 32
_BUSY = Problem(
    "busy",
    "another hot swap is in progress",
    fix="process blocks until vg_status() no longer says swapping",
)


class BlockFormat(NamedTuple):
    """What a block is: ``vg_format`` of the header, member by member."""

    in_frames: int
    in_rate: int
    in_channels: int
    out_frames: int
    out_rate: int
    out_channels: int
    latency: int


class BlockSession:
    """A running pipeline that takes and gives one block at a time.

    Any thread may call any method; blocks are processed one after another.

    Args:
        plan: the plan to run.
        recover: go on after a node has failed, with silence meanwhile.
        record: a recording to write.

    Attributes:
        format: the blocks.
        faults: failures of nodes by name, with ``recover``.
        late: blocks that took longer than they are.
        messages: the newest messages about faults.

    Raises:
        PipelineError: if the output is not audio, or a rate is not a whole number.
        VoicegraphError: as ``Session``.
    """

    def __init__(self, plan: Plan, recover: bool = False, record: Path | None = None) -> None:
        self.format = _format(plan)
        self.faults: Counter[str] = Counter()
        self.late = 0
        self.messages: deque[str] = deque(maxlen=_MESSAGES)
        self.opened = time.monotonic()
        self.block_s = float(plan.block)
        self._bytes_in = 4 * self.format.in_frames * self.format.in_channels
        self._bytes_out = 4 * self.format.out_frames * self.format.out_channels
        self._mono = self.format.in_channels == 1
        self._frames = (self.format.in_frames, self.format.out_frames)
        self._shape_in = (self.format.in_frames, self.format.in_channels)
        self._shape_out = (self.format.out_frames, self.format.out_channels)
        self._swaps = threading.Lock()
        self.session = plan.session(record=record, record_waits=False)
        if recover:
            self.session.recover_from_faults(self._report)

    def running(self) -> BlockSession:
        """Itself: it has a session as long as it exists."""
        return self

    @property
    def sizes(self) -> tuple[int, int]:
        """Bytes of a block of input and of output."""
        return self._bytes_in, self._bytes_out

    def require_block(self, in_frames: int, out_frames: int) -> None:
        """Checks the numbers of frames of a call.

        Raises:
            FramesError: if they are not those of a block.
        """
        if (in_frames, out_frames) != self._frames:
            wanted_in, wanted_out = self._frames
            text = (
                f"a block is {wanted_in} frames in and {wanted_out} frames out, "
                f"not {in_frames} and {out_frames}"
            )
            fix = "collect the samples of smaller blocks; cut larger ones"
            raise FramesError(Problem("frames", text, fix=fix))

    def process(self, given: np.ndarray, made: np.ndarray) -> None:
        """Processes one block.

        Args:
            given: interleaved samples, float32 ``[in_frames * in_channels]``; read only.
            made: the output is written here, float32 ``[out_frames * out_channels]``. May be the
                same memory.

        Raises:
            SignalError: as ``Session.process``.
        """
        begun = time.perf_counter()
        block = given if self._mono else given.reshape(self._shape_in).T
        output = self.session.process(block)
        if output.ndim == 1:
            made[:] = output
        else:
            made.reshape(self._shape_out)[:] = output.T
        if time.perf_counter() - begun > self.block_s:
            self.late += 1

    def swap(self, overrides: Mapping[str, Any]) -> None:
        """Hot swap: prepares it here; the blocks that follow complete it.

        Never waits for another one: if the caller has stopped processing, that would be for ever.

        Raises:
            StateError: if another one is being prepared or is in progress.
            VoicegraphError: as ``Session.change``.
        """
        if not self._swaps.acquire(blocking=False):
            raise StateError(_BUSY)
        try:
            if self.session.swapping:
                raise StateError(_BUSY)
            self.session.change(overrides)
        finally:
            self._swaps.release()

    def close(self) -> None:
        """Waits for the block that is being processed, and ends. Safe to call twice."""
        self.session.close()

    def _report(self, event: Fault | Recovered) -> None:
        if isinstance(event, Fault):
            self.faults[event.node or "unknown"] += 1
            self.messages.append(event.text)
        else:
            self.messages.append(f"the output is back after {event.silent_s:.2f} s")


def _format(plan: Plan) -> BlockFormat:
    source, output = plan.source, plan.output_type
    if not isinstance(output, Audio):
        text = f"the output of {plan.name} is {output}, and the C interface gives audio"
        raise PipelineError(Problem("output-not-audio", text, fix="name an audio output"))
    for rate in (source.rate, output.rate):
        if rate.denominator != 1:
            text = f"a rate of {rate} Hz is no whole number, which the C interface needs"
            raise PipelineError(Problem("rate", text))
    return BlockFormat(
        plan.samples_in,
        int(source.rate),
        source.channels,
        plan.samples_out,
        int(output.rate),
        output.channels,
        plan.latency_out,
    )
