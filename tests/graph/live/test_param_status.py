"""What a slider has to know."""

from __future__ import annotations

from typing import Any

import pytest

from voicegraph.graph.errors import Problem, StateError
from voicegraph.graph.live._param_status import live_params
from voicegraph.graph.pipeline import Pipeline, node


@pytest.fixture
def session():
    nodes = {"low": node("dsp.gain", "input", db=-6), "end": node("dsp.limiter", "low")}
    with Pipeline(block="10ms", nodes=nodes, output="end").session(warm_up=False) as opened:
        yield opened


def test_value_range_unit_and_words(session: Any) -> None:
    db = next(param for param in live_params(session) if param.name == "low.db")
    assert db.value == -6
    assert (db.minimum, db.maximum) == (-120, 60)
    assert db.unit == "dB"
    assert db.description
    session.set("low.db", -3)
    assert next(p.value for p in live_params(session) if p.name == "low.db") == -3


def test_only_live_params_in_the_order_of_the_pipeline(session: Any) -> None:
    found = [param.name for param in live_params(session)]
    expected = [
        f"{planned.name}.{field}"
        for planned in session.plan.nodes
        for field in type(planned.params).model_fields
        if field in type(planned.params).live_fields()
    ]
    assert found == expected
    assert found


def test_every_live_param_of_the_shipped_pipeline_can_be_set_to_what_it_is() -> None:
    with Pipeline.load("world").session(warm_up=False) as session:
        params = live_params(session)
        assert len(params) >= 3
        for param in params:
            assert param.minimum is None or param.value >= param.minimum
            assert param.choices is None or str(param.value).lower() in param.choices
            session.set(param.name, param.value)


def test_what_is_exchanged_at_this_moment_is_left_out(
    session: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(name: str) -> None:
        raise StateError(Problem("no-such-param", name))

    monkeypatch.setattr(session, "get", gone)
    assert live_params(session) == []
