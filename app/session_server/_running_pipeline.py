"""The pipeline of a session as plain data, from which another process can compile it again."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from voicegraph.app.reports.plan_report import report_plan
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.graph.signals import Audio
from voicegraph.schemas.control import AudioFormat, RunningPipeline

if TYPE_CHECKING:
    from voicegraph.graph.plan import CompiledPlan


class RunningPipelineText:
    """The pipeline of a session as JSON, made once for each plan.

    It takes milliseconds of Python, for which the engine's blocks would wait at every request.
    """

    def __init__(self) -> None:
        self._plan: Callable[[], CompiledPlan | None] = lambda: None
        self._text = ""

    def of(self, plan: CompiledPlan) -> str:
        """The text; the plan is not kept alive."""
        if self._plan() is not plan:
            self._text = running_pipeline(plan).model_dump_json()
            self._plan = weakref.ref(plan)
        return self._text


def running_pipeline(plan: CompiledPlan) -> RunningPipeline:
    """The pipeline that a plan was compiled from, with what was changed, and the plan itself."""
    assert isinstance(plan, Plan)
    origin = plan.origin if isinstance(plan.origin, Pipeline) else None
    loaded = None if origin is None else origin.loaded
    return RunningPipeline(
        name=plan.name,
        path=None if loaded is None or loaded.path is None else str(loaded.path.absolute()),
        profiles=[] if loaded is None else list(loaded.profiles),
        overrides={} if origin is None else _overrides(origin),
        input=_format(plan.source),
        output=None if plan.target is None else _format(plan.target),
        latency_s=str(plan.latency.algorithmic),
        plan=report_plan(plan),
    )


def _overrides(origin: Pipeline) -> dict[str, Any]:
    """A later override of the same value takes the place of an earlier one, at its own turn."""
    found: dict[str, Any] = {}
    for override in origin.loaded.overrides:
        path = ".".join(map(str, override.path))
        found.pop(path, None)
        found[path] = override.value.data
    return found


def _format(audio: Audio) -> AudioFormat:
    return AudioFormat(rate_hz=str(audio.rate), channels=audio.channels)
