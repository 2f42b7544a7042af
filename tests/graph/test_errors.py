"""Problems: collected, sorted by place, printed with cause and fix."""

from __future__ import annotations

import pickle

import pytest

from voicegraph.graph.errors import DeviceError, InputError, Mark, PipelineError, Problem, Problems

PROBLEM = Problem(
    "types-do-not-fit",
    "to16k feeds f0, which takes audio at 16000 Hz, but gives 22050 Hz",
    Mark("rvc.yaml", 9, 30),
    notes=(("to16k  22050 Hz <- params.rate", Mark("rvc.yaml", 7, 3)), ("as it is", None)),
    fix="nodes.to16k.params.rate: 16000\nor another node",
)


def test_text_has_place_cause_origin_and_fix() -> None:
    assert str(PROBLEM) == (
        "rvc.yaml:9:30  to16k feeds f0, which takes audio at 16000 Hz, but gives 22050 Hz\n"
        "    to16k  22050 Hz <- params.rate   (rvc.yaml:7:3)\n"
        "    as it is\n"
        "  fix: nodes.to16k.params.rate: 16000\n"
        "       or another node"
    )


def test_a_mark_without_a_line_prints_as_its_source() -> None:
    assert str(Mark("--set nodes.f0.use")) == "--set nodes.f0.use"


def test_problems_are_told_once_and_by_place() -> None:
    problems = Problems()
    problems.add("b", "later", Mark("p.yaml", 9, 1))
    problems.add("a", "earlier", Mark("p.yaml", 2, 5))
    problems.add("b", "later", Mark("p.yaml", 9, 1))
    with pytest.raises(PipelineError) as caught:
        problems.raise_if_any()
    assert [p.message for p in caught.value.problems] == ["earlier", "later"]
    assert str(caught.value) == "p.yaml:2:5  earlier\np.yaml:9:1  later"


def test_without_problems_nothing_is_raised() -> None:
    Problems().raise_if_any()


def test_error_class_is_that_of_the_phase() -> None:
    problems = Problems(DeviceError)
    problems.add("no-such-device", "no cuda")
    with pytest.raises(DeviceError, match="no cuda"):
        problems.raise_if_any()


def test_programs_get_every_part() -> None:
    assert PROBLEM.as_dict() == {
        "code": "types-do-not-fit",
        "message": PROBLEM.message,
        "where": "rvc.yaml:9:30",
        "line": 9,
        "column": 30,
        "notes": ["to16k  22050 Hz <- params.rate (rvc.yaml:7:3)", "as it is"],
        "fix": PROBLEM.fix,
    }


def test_errors_pass_from_process_to_process() -> None:
    found = pickle.loads(pickle.dumps(InputError([Problem("a", "b", fix="c"), Problem("d", "e")])))
    assert isinstance(found, InputError)
    assert found.problems == (Problem("a", "b", fix="c"), Problem("d", "e"))
