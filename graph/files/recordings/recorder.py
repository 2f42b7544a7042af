"""Records a running session to ``NAME.jsonl``, ``NAME.in.wav`` and ``NAME.out.wav``.

Until all files are finished, ``NAME.jsonl`` is locked; see ``writing_lock.py``.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from pydantic import ValidationError

from voicegraph.schemas.recorded_events import event_model
from voicegraph.schemas.recording import (
    MOST_BLOCK_BYTES,
    MOST_CHANNELS,
    MOST_STREAMS,
    Circumstances,
    RecordedAudio,
    RecordedStart,
    RecordingHeader,
)
from voicegraph.schemas.recording_state import RecordingState

from ... import machine
from ...errors import OutputError, Problem
from ...loading.document import Document
from ...pipeline import Pipeline, Plan
from ...plan import PlanOrigin
from ...regular_file import shortened
from ...runtime.background_writer import BackgroundWriter
from ...runtime.param_values import to_json
from ...runtime.snapshot import PENDING
from ...signals import Audio
from ._file_identity import describe_files, library_overrides, portable, portable_overrides
from ._free_space import FreeSpace
from ._growing_wave import GrowingWave
from .paths import input_path, output_path, recorded_files, start_path
from .writing_lock import lock_while_open

if TYPE_CHECKING:
    from voicegraph.schemas.engine_setup import EngineSetup

    from ...runtime.live_params import Change
    from ...runtime.recording_start import RecordingStart

_QUEUE_LENGTH = 512
"""Limit of queued entries: about five seconds with blocks of 20 ms."""


class Recorder:
    """Records input, output and events of a session.

    Args:
        path: the events file, ``NAME.jsonl``; the other files are beside it.
        plan: the plan of the session.
        streams: number of streams.
        waits: write synchronously. Otherwise a thread writes and the session never waits; if the
            disk is too slow or full, the recording ends early, which :meth:`close` reports.
        setup: how the session's engine is set up.
        from_start: the first block is the session's. Otherwise :meth:`begin` is called before it,
            which writes the header.

    Raises:
        OutputError: if the files cannot be written, here or, with ``waits``, later.
    """

    def __init__(
        self,
        path: Path,
        plan: Plan,
        streams: int,
        waits: bool = True,
        setup: EngineSetup | None = None,
        *,
        from_start: bool = True,
    ) -> None:
        self.path = path
        self._first = 0  # the session's tick at which the recording begins
        self._begun = from_start
        self._failed: str | None = None
        self._base = plan.origin
        self._closed = False
        if path.suffix == ".wav":
            text = f"{path}: that extension is for the audio of a recording"
            raise OutputError(Problem("cannot-write", text, fix=str(path.with_suffix(".jsonl"))))
        described = _describe(path, plan, streams).model_copy(update={"setup": setup})
        kind = plan.output_type
        with ExitStack() as opened, self._writing():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._events = opened.enter_context(path.open("w", encoding="utf-8"))
            lock_while_open(self._events.fileno())
            channels = streams * plan.source.channels
            self._input = GrowingWave(input_path(path), float(plan.source.rate), channels)
            opened.callback(self._input.close)
            self._output: GrowingWave | None = None
            if isinstance(kind, Audio):
                wide = streams * kind.channels
                self._output = GrowingWave(output_path(path), float(kind.rate), wide)
                opened.callback(self._output.close)
            self._files = opened.pop_all()
        wide = self._output.channels if self._output is not None else 0
        rates = plan.source.rate * channels + plan.output_type.rate * wide
        self._space = FreeSpace(path, 4 * float(rates))
        self._rate = float(plan.source.rate)
        if from_start:
            self._write(described.model_dump(mode="json"))
        self._writer: BackgroundWriter | None = None
        if not waits:
            self._writer = BackgroundWriter(
                "voicegraph-recorder", _QUEUE_LENGTH, self._space.measure
            )

    # ---- the session's side -------------------------------------------------------------------

    def begin(self, start: RecordingStart) -> None:
        """Records the state before the first block; ticks count from there."""
        self._first, self._base, self._begun = start.position, start.plan.origin, True
        streams = start.snapshot.tensors[PENDING].shape[0]

        def write(_: object) -> None:
            last = None if start.last is None else start.last.flatten().tolist()
            begin = RecordedStart(position=start.position, last=last, silent=start.silent)
            found = describe(cast("Plan", start.plan), streams)
            found = found.model_copy(update={"setup": start.setup, "start": begin})
            start.snapshot.save(start_path(self.path))
            self._write(found.model_dump(mode="json"))

        self._submit(write, None)

    def block(self, block: torch.Tensor) -> None:
        """Records the input of one tick, ``[streams, channels, samples]``."""
        frames = block.reshape(-1, block.shape[-1]).numpy()
        self._submit(lambda kept: self._input.write(kept), frames)

    def output(self, made: torch.Tensor) -> None:
        """Records the output of one tick, ``[streams, channels, samples]``."""
        wave = self._output
        if wave is not None:
            self._submit(lambda kept: wave.write(kept), made.reshape(-1, made.shape[-1]).numpy())

    def control(self, tick: int, change: Change) -> None:
        """Records a change of a live param and the first tick with it."""
        value = to_json(change.value)
        self.event(tick, set=change.param, value=value, stream=change.stream)

    def reset(self, tick: int, stream: int | None) -> None:
        """Records a reset before a tick."""
        self.event(tick, reset=True, stream=stream)

    def describe_exchange(
        self,
        overrides: dict[str, Any],
        plan: Plan,
        base: PlanOrigin | None,
        setup: EngineSetup,
    ) -> dict[str, Any]:
        """The event of a hot swap, without its ticks. Fingerprints files, which takes time.

        If the overrides belong to another pipeline than that of the header, because a profile was
        chosen, the event contains that pipeline.
        """
        files = [file.model_dump(mode="json") for file in describe_files(plan)]
        pipeline = _pipeline_of(plan)
        if pipeline is not None:
            voices = library_overrides(base, plan)
            overrides = portable_overrides({**voices, **overrides}, pipeline, plan)
        event = {
            "exchange": to_json(overrides),
            "plan": plan.hash,
            "files": files,
            "setup": setup.model_dump(mode="json"),
        }
        if base is not self._base and isinstance(base, Pipeline):
            document = base.loaded.complete
            assert document is not None
            event["document"] = to_json(portable(document, plan))
            event["swapped"] = sorted(document.swapped)
            event["profiles"] = list(base.active_profiles)
        return event

    def event(self, tick: int, **what: Any) -> None:
        """Records any other event of a tick.

        Raises:
            ValueError: if its kind is known (``schemas/recorded_events.py``) and a value is wrong.
            TypeError: if a value has no JSON form.
        """
        what = {key: to_json(value) for key, value in what.items()}
        tick = max(tick - self._first, 0)
        if "begun" in what:
            what["begun"] = max(what["begun"] - self._first, 0)
        event_model(what).model_validate(
            {"tick": tick, **what}
        )  # what cannot be read is not written
        self._submit(lambda _: self._write({"tick": tick, **what}), None)

    @property
    def state(self) -> RecordingState:
        """Whether it still records, and the space that is left; from any thread, at once."""
        return RecordingState(
            path=str(self.path),
            stopped=self._stopped,
            behind=self._writer.pending / _QUEUE_LENGTH if self._writer is not None else 0.0,
            bytes=self._input.bytes + (self._output.bytes if self._output is not None else 0),
            recorded_s=self._input.frames / self._rate,
            free_bytes=self._space.free_bytes,
            left_s=self._space.left_s,
        )

    def close(self) -> None:
        """Finishes all files. Safe to call twice.

        Raises:
            OutputError: if not everything could be written.
        """
        writer = self._writer
        if writer is not None and not self._closed:
            writer.close()
        with self._writing():
            self._files.close()
        closed, self._closed = self._closed, True
        if not self._begun:  # no block came: there is nothing to replay
            for file in recorded_files(self.path):
                file.unlink(missing_ok=True)
        if self._stopped is not None and not closed:
            frames = self._input.frames
            text = f"the recording {self.path} ends early, after {frames} samples: {self._stopped}"
            raise OutputError(Problem("cannot-write", text, fix="record to a disk with more space"))

    # ---- writing ------------------------------------------------------------------------------

    @property
    def _stopped(self) -> str | None:
        """Why nothing more is written."""
        return self._failed or (self._writer.failed if self._writer is not None else None)

    def _submit(self, write: Callable[[Any], None], frames: np.ndarray | None) -> None:
        if self._writer is None:
            with self._writing():
                write(frames)
            return
        if self._stopped is not None:
            return
        kept = None if frames is None else frames.copy()
        if not self._writer.submit(lambda: write(kept)) and self._writer.failed is None:
            self._failed = "the disk is too slow"

    def _write(self, event: dict[str, Any]) -> None:
        with self._writing():
            self._events.write(json.dumps(event) + "\n")
            self._events.flush()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            text = f"the recording {self.path} cannot be written: {error.strerror}"
            raise OutputError(Problem("cannot-write", text)) from None


def _describe(path: Path, plan: Plan, streams: int) -> RecordingHeader:
    """The header of a recording that can be written.

    Raises:
        OutputError: if the session has more channels than a sound file holds.
    """
    kind = plan.output_type
    wide = streams * max(kind.channels if isinstance(kind, Audio) else 0, plan.source.channels)
    if wide <= MOST_CHANNELS and streams <= MOST_STREAMS:
        with suppress(ValidationError):
            return describe(plan, streams)
    text = (
        f"{shortened(path)}: a session of {streams} streams, with {wide} channels together and "
        f"blocks of {plan.samples_in} samples, is too large for a recording, which has at most "
        f"{MOST_STREAMS} streams, {MOST_CHANNELS} channels and {MOST_BLOCK_BYTES >> 20} MiB a block"
    )
    raise OutputError(Problem("too-large", text, fix="record fewer streams"))


def describe(plan: Plan, streams: int) -> RecordingHeader:
    """The first line of a recording."""
    document = _pipeline_of(plan)
    target = plan.target
    return RecordingHeader(
        pipeline=plan.name,
        plan=plan.hash,
        document=None if document is None else to_json(portable(document, plan)),
        swapped=[] if document is None else sorted(document.swapped),
        source=RecordedAudio(rate=plan.source.rate, channels=plan.source.channels),
        target=None
        if target is None
        else RecordedAudio(rate=target.rate, channels=target.channels),
        held=plan.held,
        streams=streams,
        samples=plan.samples_in,
        seed=plan.settings.seed,
        circumstances=circumstances(),
        files=describe_files(plan),
    )


def _pipeline_of(plan: Plan) -> Document | None:
    return plan.origin.loaded.complete if isinstance(plan.origin, Pipeline) else None


def circumstances() -> Circumstances:
    """The environment of this process."""
    return Circumstances(
        voicegraph=metadata.version("voicegraph"),
        torch=torch.__version__,
        numpy=np.__version__,
        machine=machine.system(),
        cpu=machine.cpu_model(),
        threads=torch.get_num_threads(),
    )
