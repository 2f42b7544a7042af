"""The precision that a trial chooses, on a clock that runs only while something computes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest
import torch

from voicegraph.nodes.layers import precision_trial
from voicegraph.nodes.layers.form import (
    PACKED_BFLOAT16,
    PACKED_FLOAT32,
    PACKED_INT8,
    Form,
    Packers,
)
from voicegraph.nodes.layers.int8_linear import FULL_PEAK
from voicegraph.nodes.layers.precision_trial import Trial, TrialStage, fastest_form

CPU = torch.device("cpu")
ALL: Mapping[Form, Packers] = {key: {} for key in (PACKED_FLOAT32, PACKED_BFLOAT16, PACKED_INT8)}


class Clock:
    """A processor on which each form takes its time."""

    def __init__(self) -> None:
        self.now = 0
        self.made: list[Form] = []
        self.runs = 0

    def stage(self, name: str, count: float = 1, **microseconds: int) -> TrialStage:
        def make(form: Form) -> Callable[[], None]:
            self.made.append(form)
            return lambda: self.run(microseconds[form.precision])

        return TrialStage(name, make, count)

    def run(self, microseconds: int) -> None:
        self.runs += 1
        self.now += 1000 * microseconds


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(precision_trial, "_now_ns", lambda: made.now)
    monkeypatch.setattr(precision_trial, "can_pack", lambda device, dtype: device.type == "cpu")
    monkeypatch.setattr(precision_trial, "can_quantise", lambda device: True)
    monkeypatch.setattr(precision_trial, "input_peak", lambda: FULL_PEAK)
    monkeypatch.setattr(precision_trial, "_measured", {})
    return made


def _choose(*stages: TrialStage, packings: Mapping[Form, Packers] = ALL) -> Trial:
    found = fastest_form(packings, stages, CPU)
    assert found is not None
    return found


def test_bfloat16_is_taken_where_it_is_faster(clock: Clock) -> None:
    """Also where int8 is faster still, since that is less accurate."""
    found = _choose(clock.stage("layer", float32=500, bfloat16=300, int8=200))
    assert found.form is PACKED_BFLOAT16
    assert found.milliseconds == {"float32": 0.5, "bfloat16": 0.3, "int8": 0.2}


def test_int8_is_taken_where_only_it_is_faster(clock: Clock) -> None:
    assert _choose(clock.stage("layer", float32=500, bfloat16=600, int8=300)).form is PACKED_INT8


def test_a_gain_that_is_not_worth_the_rounding_is_left(clock: Clock) -> None:
    assert _choose(clock.stage("x", float32=500, bfloat16=470, int8=460)).form is PACKED_FLOAT32


def test_int8_is_not_tried_for_a_network_that_has_no_such_form(clock: Clock) -> None:
    packings = {PACKED_FLOAT32: {}, PACKED_BFLOAT16: {}}
    found = _choose(clock.stage("x", float32=500, bfloat16=600, int8=1), packings=packings)
    assert found.form is PACKED_FLOAT32
    assert set(clock.made) == set(packings)


def test_stages_count_as_often_as_the_network_has_them(clock: Clock) -> None:
    slower = clock.stage("layer", 12, float32=100, bfloat16=150, int8=150)
    faster = clock.stage("convolution", 1.5, float32=400, bfloat16=100, int8=400)
    found = _choose(slower, faster)
    assert found.form is PACKED_FLOAT32
    assert found.milliseconds["bfloat16"] == pytest.approx(12 * 0.15 + 1.5 * 0.1)


def test_a_trial_is_short(clock: Clock) -> None:
    """20 ms for each form, but four rounds at least."""
    _choose(clock.stage("short", float32=1000, bfloat16=1000, int8=1000))
    assert clock.now <= 70_000_000
    before = clock.runs
    _choose(clock.stage("long", float32=50_000, bfloat16=50_000, int8=50_000))
    assert clock.runs - before == 3 * (1 + 4)


def test_a_disturbed_trial_takes_longer(clock: Clock) -> None:
    """All rounds but every seventh take four times as long, as beside another program."""
    real, count = clock.run, 0

    def run(microseconds: int) -> None:
        nonlocal count
        count += 1
        real(microseconds * (1 if count % 7 == 0 else 4))

    clock.run = run  # pyright: ignore[reportAttributeAccessIssue]
    found = _choose(clock.stage("layer", float32=9000, bfloat16=6000, int8=5000))
    assert found.form is PACKED_BFLOAT16
    assert found.milliseconds == {"float32": 9.0, "bfloat16": 6.0, "int8": 5.0}


def test_the_same_question_is_measured_once(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another number of threads or another size is another question."""
    first = _choose(clock.stage("layer", float32=500, bfloat16=300, int8=200))
    count = clock.runs
    # What would be measured now does not matter: a swap takes what the session has.
    again = _choose(clock.stage("layer", float32=500, bfloat16=900, int8=900))
    assert (again, clock.runs) == (first, count)
    assert _choose(clock.stage("larger", float32=5, bfloat16=9, int8=9)).form is PACKED_FLOAT32
    monkeypatch.setattr(torch, "get_num_threads", lambda: 77)
    assert _choose(clock.stage("layer", float32=500, bfloat16=900, int8=900)) != first


def test_a_processor_without_narrow_products_is_not_tried(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision_trial, "can_pack", lambda device, dtype: dtype is torch.float32)
    monkeypatch.setattr(precision_trial, "can_quantise", lambda device: False)
    assert _choose(clock.stage("x", float32=500)).milliseconds == {}
    assert clock.runs == 0


def test_int8_of_seven_bits_is_for_who_asks_for_it(
    clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(precision_trial, "input_peak", lambda: FULL_PEAK // 2)
    found = _choose(clock.stage("layer", float32=500, bfloat16=600, int8=300))
    assert found.form is PACKED_FLOAT32
    assert PACKED_INT8 not in clock.made


@pytest.mark.parametrize("device", ["cuda", "mps"])
def test_nothing_is_chosen_on_a_gpu(device: str, clock: Clock) -> None:
    assert fastest_form(ALL, [clock.stage("x", float32=1)], torch.device(device)) is None


def test_nothing_is_chosen_for_a_network_that_is_not_packed(clock: Clock) -> None:
    assert fastest_form({}, [clock.stage("x", float32=1)], CPU) is None
