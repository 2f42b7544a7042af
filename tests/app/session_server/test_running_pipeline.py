"""The pipeline of a session as JSON: made once for each plan, which it does not keep alive."""

from __future__ import annotations

import gc
import weakref

import pytest

from voicegraph.app.session_server import _running_pipeline
from voicegraph.app.session_server._running_pipeline import RunningPipelineText, running_pipeline
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.schemas.control import RunningPipeline


def test_text_is_made_once_for_each_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[Plan] = []

    def counted(plan: Plan) -> RunningPipeline:
        made.append(plan)
        return running_pipeline(plan)

    monkeypatch.setattr(_running_pipeline, "running_pipeline", counted)
    pipeline, text = Pipeline.load("world"), RunningPipelineText()
    first, second = pipeline.compile(), pipeline.changed({"vars.transpose": 3}).compile()
    for plan in (first, first, second, second, first):
        found = RunningPipeline.model_validate_json(text.of(plan))
        assert found == running_pipeline(plan)
    assert made == [first, second, first]


def test_plan_that_was_replaced_is_not_kept() -> None:
    text = RunningPipelineText()
    plan = Pipeline.load("world").compile()
    text.of(plan)
    kept = weakref.ref(plan)
    del plan
    gc.collect()
    assert kept() is None
