"""Families of paired comparisons: numbers, verdicts, and what is not tested."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from voicegraph.experiments.statistics.paired import Comparison, Pairs, compare_family
from voicegraph.experiments.statistics.power import detectable_effect
from voicegraph.experiments.statistics.reachable_p import NEEDED

DIFFERENCES = np.array([0.3, 0.5, 0.2, 0.4, 0.1, 0.6, 0.35, 0.45])
BASE = np.linspace(0, 1, 8)


def _one(pairs: Pairs, **options: object) -> Comparison:
    return compare_family([pairs], **options)[0]  # pyright: ignore[reportArgumentType]


def test_numbers_of_a_comparison() -> None:
    found = _one(Pairs(BASE + DIFFERENCES, BASE, "higher"))
    assert found.n == 8
    assert found.mean == pytest.approx(0.8625)
    assert found.difference == pytest.approx(0.3625)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 0.3625 < found.high
    assert found.p == found.p_corrected == 2 / 256
    assert found.d_z == pytest.approx(0.3625 / DIFFERENCES.std(ddof=1))
    assert found.superiority == 1
    assert found.detectable == pytest.approx(detectable_effect(8) * DIFFERENCES.std(ddof=1))
    assert (found.verdict, found.equivalent, found.why) == ("better", None, "")


@pytest.mark.parametrize(
    ("better", "sign", "verdict"),
    [
        ("higher", 1, "better"),
        ("higher", -1, "worse"),
        ("lower", 1, "worse"),
        ("lower", -1, "better"),
        (None, 1, "different"),
    ],
)
def test_verdict_follows_the_direction(better: object, sign: int, verdict: str) -> None:
    found = _one(Pairs(BASE + sign * DIFFERENCES, BASE, better))  # pyright: ignore[reportArgumentType]
    assert found.verdict == verdict
    assert found.superiority == (0 if verdict == "worse" else 1)


def test_ties_count_half_for_superiority() -> None:
    level = np.array([1, 1, 0, 0, 2, 2, 2, 2.0])
    found = _one(Pairs(level, np.ones(8), "higher"))
    assert found.superiority == (4 + 2 / 2) / 8


def test_margin_decides_equivalence() -> None:
    noise = np.array([0.01, -0.01, 0.02, -0.02, 0.005, -0.004, 0.001, 0.0])
    wide, narrow = (_one(Pairs(BASE + noise, BASE, "higher", m)) for m in (0.05, 0.005))
    assert (wide.equivalent, wide.verdict) == (True, "equivalent")
    assert (narrow.equivalent, narrow.verdict) == (False, "no difference shown")


def test_family_is_corrected_together() -> None:
    clear = Pairs(BASE + DIFFERENCES, BASE, "higher")
    few = Pairs(BASE[:3], BASE[:3] + DIFFERENCES[:3])
    found = compare_family([clear, few, clear])
    assert [one.p_corrected for one in found] == [2 / 128, None, 2 / 128]
    assert found[1].verdict == "not tested"


def test_a_family_too_large_for_its_speakers_is_told() -> None:
    family = [Pairs(BASE + DIFFERENCES, BASE, "higher")] * 7
    found = compare_family(family)
    assert found[0].verdict == "no difference shown"
    assert found[0].why == (
        "8 speakers cannot reach p = 0.05 in a family of 7 tests: the least is 0.055"
    )
    assert compare_family(family, correct="bh")[0].verdict == "better"


def _not_tested(found: Comparison, why: str) -> None:
    numbers = (found.low, found.high, found.p, found.p_corrected, found.d_z, found.superiority)
    assert numbers == (None,) * 6
    assert (found.detectable, found.equivalent, found.p_equivalence) == (None, None, None)
    assert found.verdict == "not tested"
    assert why in found.why


@pytest.mark.parametrize("test", ["permutation", "wilcoxon", "bootstrap"])
def test_degenerate_comparisons_are_not_tested(test: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for speakers in range(NEEDED):
            found = _one(Pairs(BASE[:speakers] + 1, BASE[:speakers], "lower", 0.1), test=test)
            _not_tested(found, "no speaker" if not speakers else f"{NEEDED} are needed")
        _not_tested(_one(Pairs(BASE, BASE, None, 0.1), test=test), "values of both are the same")
        for shift in (0.1, 1e9, -3e-7):  # rounding makes the differences differ in their last bits
            found = _one(Pairs(BASE + shift, BASE, None, 0.1), test=test)
            _not_tested(found, "all 8 differences are equal")
        broken = BASE.copy()
        broken[3] = np.nan
        found = _one(Pairs(broken, BASE), test=test)
        _not_tested(found, "not finite")
        assert found.difference is None
        assert compare_family([], test=test) == []  # pyright: ignore[reportArgumentType]


def test_sides_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="8 speakers cannot be paired with 7"):
        _one(Pairs(BASE, BASE[:7]))


@settings(max_examples=60, deadline=None)
@given(
    arrays(np.float64, st.integers(0, 9), elements=st.floats(-1e6, 1e6)),
    st.sampled_from([0.0, 1e-9, 1.0]),
    st.sampled_from(["permutation", "wilcoxon", "bootstrap"]),
)
def test_any_values_give_numbers_or_a_reason(level: np.ndarray, scale: float, test: str) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = _one(Pairs(level * scale, np.zeros(len(level)), "lower", 1.0), test=test)
    if found.verdict == "not tested":
        _not_tested(found, "")
        assert found.why
    else:
        assert found.p is not None
        assert 0 < found.p <= 1
        assert found.low is not None
        assert found.high is not None
        assert found.low <= found.high
