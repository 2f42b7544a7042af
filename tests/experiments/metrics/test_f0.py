"""F0 errors of outputs and of trackers."""

from __future__ import annotations

import numpy as np
import pytest

from .heard import heard, values

BY = "f0.harvest"
TRUE = np.where(np.arange(400) % 100 < 60, 150.0, 0.0).astype(np.float32)


def test_a_constant_transposition_is_no_error() -> None:
    found = values("f0", None, heard({BY: {"f0": 1.5 * TRUE}}, {BY: {"f0": TRUE}}))
    assert found["f0.cents"].value == pytest.approx(0, abs=1e-3)
    assert found["f0.gross"].value == 0
    assert found["f0.voicing"].value == 1


def test_a_tracker_is_not_transposed() -> None:
    side = {BY: {"f0": TRUE}}
    made = heard(side, side, taps={"f0.pitch": TRUE * 2 ** (1 / 12)}, rates={"f0.pitch": 100.0})
    found = values("f0", {"tap": "f0.pitch"}, made)
    assert found["f0.tap_cents"].value == pytest.approx(100, abs=0.01)
    assert found["f0.cents"].value == 0


@pytest.mark.parametrize("rate", [50.0, 62.5, 100.0, 200.0])
def test_taps_of_any_rate_are_compared_in_time(rate: float) -> None:
    """A contour that changes once: the frames at the change may differ, no others."""
    true = np.where(np.arange(301) < 150, 100.0, 200.0).astype(np.float32)
    said = np.where(np.arange(int(3 * rate) + 1) / rate < 1.5, 100.0, 200.0)[:, None]
    side = {BY: {"f0": true}}
    made = heard(side, side, taps={"f0.pitch": said}, rates={"f0.pitch": rate})
    assert values("f0", {"tap": "f0.pitch"}, made)["f0.tap_gross"].value == pytest.approx(
        0, abs=2 * 100 / rate / 301
    )


def test_known_f0_counts_before_a_tracker() -> None:
    known = np.repeat(TRUE, 2)
    wrong = {BY: {"f0": TRUE * 2 ** (np.arange(400) / 400)}}
    found = heard({BY: {"f0": TRUE}}, wrong, truth={"f0": known}, rates={"f0": 200.0})
    assert values("f0", None, found)["f0.cents"].value == 0
    assert values("voicing", None, found)["voicing.missed"].value == 0


def test_unvoiced_outputs_have_no_cents_and_a_voicing() -> None:
    found = values("f0", None, heard({BY: {"f0": 0 * TRUE}}, {BY: {"f0": TRUE}}))
    assert found["f0.cents"] == (None, "no frame is voiced in both")
    assert found["f0.voicing"].value == pytest.approx(0.4)


def test_both_ways_of_wrong_voicing_are_told_apart() -> None:
    made = np.roll(TRUE, 10)
    found = values("voicing", None, heard({BY: {"f0": made}}, {BY: {"f0": TRUE}}))
    assert found["voicing.missed"].value == pytest.approx(10 / 60)
    assert found["voicing.added"].value == pytest.approx(10 / 40)
