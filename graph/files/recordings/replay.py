"""Runs a recording again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ...errors import Problem, StateError
from ...runtime.hot_swap import HotSwap, plan_change
from ...runtime.param_values import from_json
from ...signals import Audio
from .reader import Recording, open_recording

if TYPE_CHECKING:
    from voicegraph.schemas.recording import RecordedAudio

    from ...pipeline import Plan
    from ...runtime.session import Session


def replay(plan: Plan, path: str | Path) -> Iterator[np.ndarray]:
    """Runs a recording again: the output blocks, ``[streams, channels, samples]``.

    On the same machine, versions and threads they are those of the recording, to the bit.

    Raises:
        StateError: if the file is no recording, or was made with another plan.
    """
    recording = open_recording(path)
    if recording.header.plan != plan.hash:
        text = f"{path} was recorded with plan {recording.header.plan}, this plan is {plan.hash}"
        raise StateError(Problem("other-plan", text, fix="use the same pipeline and overrides"))
    return run(plan, recording)


def plan_of(recording: Recording, overrides: Mapping[str, Any] | None = None) -> Plan:
    """The plan that was recorded, compiled from what the recording says of it.

    Args:
        recording: which.
        overrides: what shall be otherwise, such as where a file lies now.

    Raises:
        StateError: if the recording holds no pipeline.
        PipelineError: if the pipeline cannot be compiled here.
    """
    from ...pipeline import Pipeline

    header = recording.header
    document = from_json(header.document)
    if not isinstance(document, dict):
        text = f"{recording.path} does not hold its pipeline: its plan was not compiled from one"
        fix = "voicegraph.replay(plan, path), with the plan from where it was made"
        raise StateError(Problem("no-pipeline", text, fix=fix))
    pipeline = Pipeline.from_data(document, header.pipeline, header.swapped)
    if overrides:
        pipeline = pipeline.changed(overrides)
    return pipeline.compile(_audio(header.source), _audio(header.target), header.held)


def _audio(found: RecordedAudio | None) -> Audio | None:
    return None if found is None else Audio(found.rate, found.channels)


def run(plan: Plan, recording: Recording) -> Iterator[np.ndarray]:
    """The output blocks, one for each block of input.

    Raises:
        StateError: if something that was changed then cannot be changed in ``plan``.
    """
    before = recording.before()
    with plan.session(recording.header.streams) as session:
        for tick, block in enumerate(recording.blocks()):
            for event in before.get(tick, ()):
                _repeat(session, event)
            yield session.process(block)


def _repeat(session: Session, event: dict[str, Any]) -> None:
    if "set" in event:
        session.set(event["set"], event["value"], event["stream"])
    elif "reset" in event:
        session.reset(event["stream"])
    else:
        overrides = from_json(event["exchange"])
        plan = plan_change(session, overrides, complete=True)
        session.begin_swap(HotSwap(session, plan, overrides, fade_at=event["tick"]))
