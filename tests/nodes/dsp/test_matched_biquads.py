"""Second-order filters that follow their analog prototypes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import signal

from voicegraph.nodes.dsp import _matched_biquads as design

pytestmark = pytest.mark.numeric

RATE = 48000
FREQUENCIES = np.geomspace(20, 0.4999 * RATE, 500)


def _prototype(kind: str, hertz: float, gain: float, q: float) -> np.ndarray:
    """Magnitude of the analog filter in dB, by scipy."""
    root = 10 ** (gain / 40)
    wide, half = 1 / q, np.sqrt(root) / q
    top, bottom = {
        "bell": ([1, root * wide, 1], [1, wide / root, 1]),
        "low_shelf": ([root, root * half, root * root], [root, half, 1]),
        "high_shelf": ([root * root, root * half, root], [1, half, root]),
        "lowpass": ([1], [1, wide, 1]),
        "highpass": ([1, 0, 0], [1, wide, 1]),
    }[kind]
    found: Any = signal.freqs(top, bottom, FREQUENCIES / hertz)  # pyright: ignore[reportArgumentType]
    return 20 * np.log10(np.abs(found[1]))


def _magnitude(sections: np.ndarray) -> np.ndarray:
    top, bottom = sections.reshape(2, 3)
    found: Any = signal.freqz(top, bottom, FREQUENCIES, fs=RATE)  # pyright: ignore[reportArgumentType]
    return 20 * np.log10(np.abs(found[1]))


def _designed(kind: str, hertz: float, gain: float, q: float) -> np.ndarray:
    radians, wide = np.float64(2 * np.pi * hertz / RATE), np.float64(q)
    if kind in ("lowpass", "highpass"):
        return getattr(design, kind)(radians, wide)
    return getattr(design, kind)(radians, np.float64(gain), wide)


@pytest.mark.parametrize(
    ("kind", "widths", "within_db"),
    [
        ("bell", (0.4, 0.71, 1, 3, 10), 0.8),
        ("low_shelf", (0.7071,), 0.3),
        ("high_shelf", (0.7071,), 0.3),
    ],
)
def test_bands_follow_the_prototype_as_the_node_promises(
    kind: str, widths: tuple[float, ...], within_db: float
) -> None:
    """The promise of ``dsp.eq`` for frequencies up to a quarter of the rate."""
    for hertz in (30, 1000, 6000, 12000):
        for gain in (-12.0, -3.0, 3.0, 12.0):
            for q in widths:
                away = _magnitude(_designed(kind, hertz, gain, q)) - _prototype(
                    kind, hertz, gain, q
                )
                assert np.abs(away).max() < within_db, (hertz, gain, q)


@pytest.mark.parametrize("kind", ["lowpass", "highpass"])
def test_filters_follow_the_prototype(kind: str) -> None:
    for hertz in (30, 1000, 6000, 12000):
        expected = _prototype(kind, hertz, 0, np.sqrt(0.5))
        found = _magnitude(_designed(kind, hertz, 0, np.sqrt(0.5)))
        assert np.abs(found - expected).max() < 1.2, hertz


@pytest.mark.parametrize("kind", ["bell", "low_shelf", "high_shelf"])
@pytest.mark.parametrize("share", [0.001, 0.1, 0.3, 0.49, 0.4999])
def test_all_are_stable_and_cuts_invert_boosts(kind: str, share: float) -> None:
    for gain in (0.1, 6.0, 24.0):
        for q in (0.1, 0.7, 30.0):
            boost, cut = (_designed(kind, share * RATE, sign * gain, q) for sign in (1, -1))
            for sections in (boost, cut):
                for part in (sections[:3], sections[3:]):  # minimum phase: both inverses are stable
                    assert np.abs(np.roots(part)).max() <= 1.0
            product = np.convolve(boost[:3], cut[:3]) - np.convolve(boost[3:], cut[3:])
            assert np.abs(product).max() < 1e-9 * np.abs(np.convolve(boost[:3], cut[:3])).max()


@pytest.mark.parametrize("kind", ["bell", "low_shelf", "high_shelf"])
def test_no_gain_is_exactly_nothing(kind: str) -> None:
    sections = _designed(kind, 1000, 0.0, 2.0)
    assert (sections[:3] == sections[3:]).all()


def test_arguments_broadcast() -> None:
    radians = np.array([[0.1], [0.2]])
    q = np.array([0.5, 0.7, 1.3])
    assert design.highpass(radians, q).shape == (2, 3, 6)
    assert design.bell(radians, np.full(1, 3.0), q).shape == (2, 3, 6)
