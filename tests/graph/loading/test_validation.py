"""Wording of pydantic's errors for params of nodes: unions, units, bounds."""

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from voicegraph.graph.errors import Mark, Problems
from voicegraph.graph.loading.document import from_python
from voicegraph.graph.loading.validation import add_validation_problems
from voicegraph.schemas.quantities import Decibels, Duration, Rate


class Band(BaseModel):
    model_config = ConfigDict(extra="forbid")
    low: float
    high: float = 1.0


class Params(BaseModel):
    model_config = ConfigDict(extra="forbid")
    time: Duration = Field("10ms", ge=0, le=1, validate_default=True)  # pyright: ignore[reportAssignmentType, reportArgumentType]
    rate: Rate = Field(16000, ge=8000)  # pyright: ignore[reportAssignmentType]
    db: Decibels = Field(0.0, le=24)
    mode: Literal["soft", "hard"] = "soft"
    split: Band | list[float] | None = None
    search: int | Literal["auto"] = 1
    file: Path | None = None
    names: dict[str, Annotated[int, Field(ge=1)]] = {}
    on: bool = True


PREFIX = ("nodes", "delay", "params")


def told(**params):
    """The printed problems of some params, as the compiler would find them."""
    document = from_python({"nodes": {"delay": {"params": params}}}, Mark("p.yaml", 3, 7))
    problems = Problems()
    with pytest.raises(ValidationError) as caught:
        Params.model_validate(document.data["nodes"]["delay"]["params"])
    add_validation_problems(
        problems, caught.value, document.source_map, PREFIX, Params, "delay (dsp.delay)"
    )
    assert all(problem.mark == Mark("p.yaml", 3, 7) for problem in problems.found)
    return [(p.message.removeprefix("delay (dsp.delay): "), p.fix) for p in problems.found]


@pytest.mark.parametrize(
    ("params", "message", "fix"),
    [
        ({"time": "-5ms"}, "time is -5ms, expected at least 0s", "time: 0s"),
        ({"time": 5}, "time: a duration needs a unit: write 5ms or 5s", "time: 10ms"),
        ({"rate": 4000}, "rate is 4000, expected at least 8000", "rate: 8000"),
        ({"db": 30}, "db is 30, expected at most 24", "db: 24"),
        ({"db": "loud"}, "db is 'loud', expected a number", "db: 0.0"),
        ({"db": float("inf")}, "db is inf, expected a finite number", "db: 0.0"),
        ({"mode": "sotf"}, "mode is 'sotf', expected soft or hard", "mode: soft"),
        ({"on": "maybe"}, "on is 'maybe', expected true or false", "on: true"),
        ({"file": 5}, "file is 5, expected a file name", "file: (a file name)"),
        ({"names": {"a": 0}}, "names.a is 0, expected at least 1", "names.a: 1"),
    ],
)
def test_a_wrong_param(params, message, fix):
    assert told(**params) == [(message, f"nodes.delay.params.{fix}")]


def test_an_unknown_param_names_the_nearest():
    ((message, fix),) = told(tiem="5ms")
    assert message == (
        "delay (dsp.delay) has no key `tiem`; it has: "
        "time, rate, db, mode, split, search, file, names, on"
    )
    assert fix == "nodes.delay.params.time: 5ms"


def test_a_union_is_one_mistake():
    assert told(split="x") == [
        (
            "split is 'x', expected a mapping or a list",
            "nodes.delay.params.split: (a mapping or a list)",
        )
    ]
    ((message, _),) = told(search="x")
    assert message.startswith("search is 'x', expected ")


def test_union_error_names_best_matching_member():
    assert told(split={"low": "x"}) == [
        ("split.low is 'x', expected a number", "nodes.delay.params.split.low: (a number)")
    ]
    assert told(split=[1, "x"]) == [
        ("split.1 is 'x', expected a number", "nodes.delay.params.split.1: (a number)")
    ]
    assert told(split={"low": 1, "hihg": 2}) == [
        (
            "split has no key `hihg`; it has: low, high",
            "nodes.delay.params.split.high: 2",
        )
    ]
    assert [fix for _, fix in told(split={})] == ["nodes.delay.params.split.low: VALUE"]


def test_all_mistakes_are_told():
    assert len(told(time=5, rate=0, db="x", mode="x", zzz=1)) == 5
