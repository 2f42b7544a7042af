"""The check finds what exporters do without a word, and gives no verdict over nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from voicegraph.graph.export.check import check
from voicegraph.graph.network_export import ExportedNetwork, ExportedTensor

from .toy_networks import (
    LENGTHS,
    Late,
    LateByLess,
    Smoothed,
    StaticInTruth,
    Summed,
    UnrolledOnce,
    Values,
    summed,
)
from .toy_networks import smoothed as network


def _run(module: torch.nn.Module, dtype: torch.dtype = torch.float32):
    return lambda values: {"y": module.to(dtype)(values["x"].to(dtype)).float()}


def test_three_other_lengths_are_compared() -> None:
    found = check(network(), _run(Smoothed()), torch.float32)
    assert [length.sizes for length in found] == [{"samples": size} for size in LENGTHS[1:]]
    assert all(length.ok and length.outputs[0].largest == 0 for length in found)


@pytest.mark.parametrize("module", [StaticInTruth(), UnrolledOnce()], ids=["static", "unrolled"])
def test_faults_that_are_right_at_the_traced_length_are_found(module: torch.nn.Module) -> None:
    traced = network().example(0)
    assert torch.equal(module(traced["x"]), Smoothed()(traced["x"]))
    assert not all(length.ok for length in check(network(), _run(module), torch.float32))


def test_a_runtime_that_refuses_a_length_fails() -> None:
    def run(values: Values) -> Values:
        raise RuntimeError("got 5, expected 7\nmore")

    (found, *_) = check(network(), run, torch.float32)
    assert not found.ok
    assert found.failure == "the runtime refuses it: RuntimeError: got 5, expected 7"


def test_a_silent_node_is_no_reference() -> None:
    silent = network(reference=lambda values: {"y": torch.zeros(1, values["x"].shape[1] - 1)})
    (found, *_) = check(silent, lambda values: silent.reference(values), torch.float32)
    assert not found.ok
    assert found.failure is not None
    assert "0 throughout" in found.failure


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_values_that_are_not_finite_fail(value: float) -> None:
    def run(values: Values) -> Values:
        return {"y": torch.full((1, values["x"].shape[1] - 1), value)}

    (found, *_) = check(network(), run, torch.float32)
    assert (found.ok, found.outputs[0].largest) == (False, None)


def test_float32_has_the_tolerance_of_the_output() -> None:
    def run(values: Values) -> Values:
        return {"y": Smoothed()(values["x"]) + 2e-4}

    wide = network(outputs={"y": ExportedTensor((1, "frames"), tolerance=3e-4)})
    assert not all(length.ok for length in check(network(), run, torch.float32))
    assert all(length.ok for length in check(wide, run, torch.float32))


def test_half_precision_is_judged_by_its_noise() -> None:
    run = _run(Smoothed(), torch.float16)
    assert all(length.ok for length in check(network(), run, torch.float16))

    def rough(values: Values) -> Values:
        return {"y": 1.1 * Smoothed()(values["x"])}

    assert not any(length.ok for length in check(network(), rough, torch.float16))


@pytest.mark.parametrize(("others", "ok"), [(1, True), (2, False)])
def test_choices_in_half_precision_are_judged_by_how_many_are_the_same(
    others: int, ok: bool
) -> None:
    """One of 22 may be another one, however far; in float32 none."""
    chosen = network(outputs={"y": ExportedTensor((1, "frames"), chosen=True)})

    def run(values: Values) -> Values:
        made = Smoothed()(values["x"])
        return {"y": torch.where(torch.arange(made.shape[1]) < others, 100.0, made)}

    assert check(chosen, run, torch.float16)[-1].ok == ok
    assert not check(chosen, run, torch.float32)[-1].ok


def test_calls_with_state_are_one_stream() -> None:
    def run(values: Values) -> Values:
        y, total = Summed()(values["x"], values["total"])
        return {"y": y, "total_next": total}

    assert all(length.ok for length in check(summed(), run, torch.float32))

    def forgets(values: Values) -> Values:
        return run({**values, "total": torch.zeros(1)})

    assert [length.ok for length in check(summed(), forgets, torch.float32)] == [True, False, False]


def _broken(example: dict[str, torch.Tensor]) -> ExportedNetwork:
    return network(example=lambda number: example)


def _late(module: Late) -> ExportedNetwork:
    """A stream that is silent for a while, as one with latency is."""
    stream = {"past": torch.zeros(1, 12)}

    def reference(values: Values) -> dict[str, torch.Tensor]:
        y, stream["past"] = Late()(values["x"], stream["past"])
        return {"y": y}

    return replace(summed(), module=module, reference=reference, state={"past": torch.zeros(1, 12)})


@pytest.mark.parametrize(("module", "same"), [(Late(), True), (LateByLess(), False)])
def test_the_silence_at_the_beginning_of_a_stream_is_passed(module: Late, same: bool) -> None:
    """It is compared, too: a file that is not silent there is another network."""
    network = _late(module)

    def run(values: Values) -> dict[str, torch.Tensor]:
        y, past = module(values["x"], values["past"])
        return {"y": y, "past_next": past}

    found = check(network, run, torch.float32)
    assert (len(found), all(length.ok for length in found)) == (3, same)


def test_a_stream_that_stays_silent_is_no_reference() -> None:
    network = replace(_late(Late()), reference=lambda values: {"y": torch.zeros(1, 4)})

    def run(values: Values) -> dict[str, torch.Tensor]:
        return {"y": torch.zeros(1, 4), "past_next": values["past"]}

    (found,) = check(network, run, torch.float32)
    assert not found.ok
    assert found.failure is not None
    assert "0 throughout" in found.failure


@pytest.mark.parametrize(
    ("example", "says"),
    [
        ({"x": torch.ones(1, 7)}, r"example\(1\) has the traced size of samples"),
        ({"x": torch.ones(2, 7)}, r"x has sizes \[2, 7\], expected \[1, 'samples'\]"),
        ({"x": torch.ones(1, 7).double()}, "x is torch.float64"),
    ],
    ids=["same length", "other axes", "other dtype"],
)
def test_an_example_that_proves_nothing_is_refused(
    example: dict[str, torch.Tensor], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        check(_broken(example), _run(Smoothed()), torch.float32)
