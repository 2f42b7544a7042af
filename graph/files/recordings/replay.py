"""Replays recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from voicegraph.schemas.recorded_events import (
    Change,
    FaultEvent,
    ParamEvent,
    RecoveredEvent,
    ResetEvent,
    SwapEvent,
)

from ...errors import Mark, Problem, StateError, VoicegraphError
from ...runtime.fault_recovery import Silencer
from ...runtime.hot_swap import HotSwap, plan_change
from ...runtime.param_values import from_json
from ...signals import Audio
from ...startup_stages import end_stages
from .paths import start_path
from .plan_identity import is_other_plan
from .reader import Recording, open_recording

if TYPE_CHECKING:
    from voicegraph.schemas.recording import RecordedAudio, RecordedStart

    from ...pipeline import Plan
    from ...runtime.session import Session


def replay(plan: Plan, path: str | Path) -> Iterator[np.ndarray]:
    """Replays a recording: the output blocks, ``[streams, channels, samples]``.

    On the same machine, with the same versions, the output is bit-identical: the engine is set up
    as it was, in threads and workers. Of a recording whose plan's hash was made by an older rule,
    pipeline and files are compared.

    Raises:
        StateError: if the file is not a recording, or was made with another plan.
    """
    recording = open_recording(path)
    if is_other_plan(plan, recording):
        text = (
            f"{path} was recorded with plan {recording.header.plan}, but this plan is {plan.hash}"
        )
        raise StateError(Problem("other-plan", text, fix="use the same pipeline and overrides"))
    return run(plan, recording)


def plan_of(recording: Recording, overrides: Mapping[str, Any] | None = None) -> Plan:
    """Compiles the pipeline in a recording.

    Args:
        recording: the recording.
        overrides: params to change, such as where a file is now.

    Raises:
        StateError: if the recording does not contain its pipeline.
        PipelineError: if the pipeline does not compile.
    """
    from ...pipeline import Pipeline

    header = recording.header
    document = header.document and from_json(header.document)
    if document is None:
        text = f"{recording.path} does not contain its pipeline: its plan was not compiled from one"
        fix = "voicegraph.replay(plan, path), with the plan of the session that was recorded"
        raise StateError(Problem("no-pipeline", text, fix=fix))
    pipeline = Pipeline.from_data(document, header.pipeline, header.swapped)
    if overrides:
        pipeline = pipeline.changed(overrides)
    return pipeline.compile(_audio(header.source), _audio(header.target), header.held)


def _audio(found: RecordedAudio | None) -> Audio | None:
    return None if found is None else Audio(found.rate, found.channels)


def run(plan: Plan, recording: Recording) -> Iterator[np.ndarray]:
    """The output blocks, ``[streams, channels, samples]``, one for each block of input.

    Raises:
        StateError: if ``plan`` does not support a recorded change.
    """
    changes = recording.changes_by_tick()
    header = recording.header
    with plan.session(header.streams, write_files=False, setup=header.setup) as session:
        end_stages()
        session.recovery = silencer = Silencer(session)
        if header.start is not None and restores_start(plan, recording):
            _restore_start(session, silencer, recording, header.start)
        for tick, block in enumerate(recording.blocks()):
            for mark, event in changes.get(tick, ()):
                _apply(session, silencer, event, mark)
            yield session.process(block)


def restores_start(plan: Plan, recording: Recording) -> bool:
    """Whether a replay begins with the recorded state; that of another plan does not fit."""
    return recording.header.start is not None and recording.header.plan == plan.hash


def _restore_start(
    session: Session, silencer: Silencer, recording: Recording, start: RecordedStart
) -> None:
    """Continues from the state at the begin of the recording.

    Raises:
        StateError: if its snapshot is missing, or does not fit.
    """
    session.restore(start_path(recording.path))
    shape = silencer.last.shape
    if start.last is None:
        last = None
    elif len(start.last) != silencer.last.numel():
        text = f"{recording.path}: the recorded start has {len(start.last)} channels"
        raise StateError(Problem("no-recording", text, Mark(str(recording.path), 1, 1)))
    else:
        last = torch.tensor(start.last).reshape(shape)
    silencer.resume(last, start.silent)


def _apply(session: Session, silencer: Silencer, event: Change, mark: Mark) -> None:
    """Applies an event; errors name its line.

    Raises:
        VoicegraphError: if the plan has no such param, or does not take the value.
    """
    try:
        match event:
            case ParamEvent():
                session.set(event.set, event.value, event.stream)
            case ResetEvent():
                session.reset(event.stream)
            case FaultEvent():  # the cause may be gone on this machine: silenced without a try
                silencer.mute()
            case RecoveredEvent():
                silencer.unmute()
            case SwapEvent():
                if event.document is not None:
                    _rebase(session, event.document, event.swapped)
                plan = plan_change(session, event.exchange, complete=True)
                fade_at, setup = event.tick, event.setup
                session.begin_swap(
                    HotSwap(session, plan, event.exchange, fade_at=fade_at, setup=setup)
                )
    except VoicegraphError as error:
        raise type(error)(_placed(problem, mark) for problem in error.problems) from None


def _rebase(session: Session, document: dict[str, Any], swapped: list[str]) -> None:
    """Takes the pipeline that a profile has made."""
    from ...pipeline import Pipeline

    session.base = Pipeline.from_data(document, session.plan.name, swapped)


def _placed(problem: Problem, mark: Mark) -> Problem:
    if problem.mark is None:
        return replace(problem, mark=mark)
    return replace(problem, notes=(*problem.notes, ("this event of the recording", mark)))
