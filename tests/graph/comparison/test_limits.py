"""Conditions of acceptance: what is understood, what is refused, and how they are judged."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.comparison.limits import check_ports, judge, parse_limits
from voicegraph.graph.comparison.measures import MEASURES
from voicegraph.graph.errors import PipelineError
from voicegraph.schemas.comparison_report import DifferenceReport

KINDS = {
    "output": "audio",
    "content.features": "features",
    "f0.pitch": "pitch",
    "f0.voiced": "mask",
}
NUMBERS = st.floats(-1e6, 1e6)


@given(st.sampled_from(sorted(MEASURES)), NUMBERS, st.sampled_from(["", "a.b.", "f0."]))
def test_every_condition_is_read_as_written(name: str, bound: float, port: str) -> None:
    measure = MEASURES[name]
    sign = ">=" if measure.better == "high" else "<="
    lead = port if measure.kinds else ""
    (limit,) = parse_limits([f" {lead}{name} {sign} {bound!r}{measure.unit} "])
    assert (limit.port, limit.measure.name) == (lead.rstrip("."), name)
    assert limit.bound == bound


@pytest.mark.parametrize("name", MEASURES)
def test_examples_are_conditions_and_measures_are_reported(name: str) -> None:
    (limit,) = parse_limits([MEASURES[name].example])
    assert limit.measure is MEASURES[name]
    if limit.measure.kinds:
        assert limit.measure.field in DifferenceReport.model_fields


def test_percent_units_and_signs() -> None:
    texts = ["rel<=1%", "voicing ≥ 99 %", "SNR>=30".lower(), "lsd<1.5DB", "max<1e-3", "cosine>.9"]
    bounds = [limit.bound for limit in parse_limits(texts)]
    assert bounds == [0.01, 0.99, 30, 1.5, 1e-3, 0.9]
    strict, loose = parse_limits(["lsd<1", "lsd<=1"])
    assert (strict.holds(1), loose.holds(1)) == (False, True)
    (gain,) = parse_limits(["gain<=1dB"])
    assert [gain.holds(value) for value in (-6, -1, 0.5, math.inf)] == [False, True, True, False]


@pytest.mark.parametrize(
    ("text", "place", "said", "fix"),
    [
        ("", 1, "expected a measure, one of max, rms", "--within 'snr>=30dB'"),
        ("snr", 4, "expected >=, <=, > or < after snr", "--within 'snr>=30dB'"),
        ("content.cosine", 15, "expected >=, <=", "--within 'content.cosine>=.99'"),
        ("snr>=", 6, "expected a number after snr>=, found nothing", "--within 'snr>=30dB'"),
        ("lsd<=big", 6, "expected a number after lsd<=, found big", "--within 'lsd<=1dB'"),
        ("snr=30dB", 4, "expected >=, <=, > or < after snr, found =", "--within 'snr>=30dB'"),
        ("snr=>30dB", 4, "found =>", "--within 'snr>=30dB'"),
        ("snr<=30dB", 4, "snr is good if it is large", "--within 'snr>=30dB'"),
        ("f0.cents>5", 9, "cents is good if it is small", "--within 'f0.cents<=5'"),
        ("snrr>=30dB", 1, "there is no measure snrr; there are: max", "--within 'snr>=30dB'"),
        ("f0.cent<=5", 4, "there is no measure cent", "--within 'f0.cents<=5'"),
        ("snr>=30ms", 8, "expected snr in dB, found the unit ms", "--within 'snr>=30dB'"),
        ("cosine>=1dB", 10, "in a number or %, found the unit dB", "--within 'cosine>=1'"),
        ("max<=1%", 7, "in a number without a unit, found the unit %", "--within 'max<=1'"),
        ("snr>=30%", 8, "expected snr in dB, found the unit %", "--within 'snr>=30dB'"),
        ("f0.cpu<=.8", 1, "cpu is not about a port", "--within 'cpu<=.8'"),
        ("cosin<=.99", 1, "there is no measure cosin", "--within 'cosine>=.99'"),
        ("a.xyz>=1", 3, "there is no measure xyz", "--within 'a.snr>=30dB'"),
        ("content>=.99", 1, "there is no measure content", "--within 'content.snr>=30dB'"),
    ],
)
def test_mistakes_say_where_and_what_to_type(text: str, place: int, said: str, fix: str) -> None:
    with pytest.raises(PipelineError) as refused:
        parse_limits(["snr>=30dB", text])
    (problem,) = refused.value.problems
    assert said in problem.message
    assert str(problem.mark) == f"--within {text!r}, character {place}"
    assert fix in (problem.fix or "")
    for line in (problem.fix or "").splitlines():  # what is offered works
        parse_limits([line.split("'")[1]])


def test_all_mistakes_come_at_once() -> None:
    with pytest.raises(PipelineError) as refused:
        parse_limits(["snr", "lsd"])
    assert len(refused.value.problems) == 2


@pytest.mark.parametrize(
    ("text", "said", "fix"),
    [
        ("contnt.cosine>=.9", "there is no port contnt; compared are", "content.features.cosine"),
        ("content.lsd<=1dB", "content.features is features, which has no", "output.lsd<=1dB"),
        ("cosine>=.9", "output is audio, which has no measure cosine", "content.features.cosine"),
        ("voice.snr>=9", "voice.audio is not compared: only in B", "f0.voiced.snr>=9"),
    ],
)
def test_conditions_need_a_compared_port(text: str, said: str, fix: str) -> None:
    with pytest.raises(PipelineError) as refused:
        check_ports(parse_limits([text]), KINDS, {"voice.audio": "only in B"})
    (problem,) = refused.value.problems
    assert said in problem.message
    offered = (problem.fix or "").partition("--within ")[2].strip("'")
    assert offered.startswith(fix) or "snr" in fix
    check_ports(parse_limits([offered]), KINDS, {})


def test_node_alone_means_its_first_port() -> None:
    check_ports(parse_limits(["content.cosine>=.9", "f0.cents<=1", "output.snr>=1"]), KINDS, {})


def _judged(text: str, *values: float, why: str | None = None) -> tuple[bool | None, str | None]:
    limits = parse_limits([text])
    field, name = limits[0].measure.field, limits[0].measure.name
    files = {
        f"file {i}": {"output": ({field: value}, {name: why} if why else {})}
        for i, value in enumerate(values)
    }
    (found,) = judge(limits, files, None)
    return found.ok, found.file


def test_worst_file_decides() -> None:
    assert _judged("snr>=30dB", 50, 29, 40) == (False, "file 1")
    assert _judged("snr>=30dB", 50, 31, math.inf) == (True, "file 1")
    assert _judged("lsd<=2dB", 1, 1.5, 0) == (True, "file 1")
    assert _judged("gain<=1dB", 0.5, -1.5, 1.2) == (False, "file 1")
    assert _judged("snr>=30dB", -math.inf) == (False, "file 0")
    assert _judged("gain<=1dB", -math.inf) == (False, "file 0")


def test_what_was_not_measured_is_not_judged() -> None:
    assert _judged("cents<=5", 1, math.nan, 3, why="no voice") == (None, "file 1")
    (found,) = judge(parse_limits(["cpu<=.8"]), {}, None)
    assert found.ok is None
    (found,) = judge(parse_limits(["cpu<=.8"]), {}, 0.7)
    assert found.ok
