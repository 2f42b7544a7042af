"""STOI of sounds whose order of intelligibility is known."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments import metrics, observers

from ..needed_packages import skip_if_missing
from .heard import heard, values

BY = "sound.stoi"
RATE = 10000


@pytest.fixture(autouse=True)
def _package() -> None:
    skip_if_missing([observers.missing(BY)])


def _babble(seconds: float) -> np.ndarray:
    """Noise whose level changes four times a second, as speech does, float32 ``[samples]``."""
    random = np.random.default_rng(1)
    time = np.arange(round(seconds * RATE)) / RATE
    swell = 0.55 + 0.45 * np.sin(2 * np.pi * 4 * time)
    return (0.1 * swell * random.standard_normal(len(time))).astype(np.float32)


def _values(made: np.ndarray, source: np.ndarray) -> dict[str, float | None]:
    found = heard({BY: {"sound": made}}, {BY: {"sound": source}})
    return {name: value.value for name, value in values("stoi", None, found).items()}


def test_other_lengths_are_compared_as_far_as_both_go() -> None:
    sound = _babble(2.0)
    assert _values(sound[:-300], sound) == {
        name: pytest.approx(1.0, abs=1e-6) for name in ("stoi.stoi", "stoi.extended")
    }


def test_a_level_does_not_count_and_another_sound_does() -> None:
    sound = _babble(2.0)
    quiet, other = _values(0.1 * sound, sound), _values(sound[::-1].copy(), sound)
    for name, value in quiet.items():
        assert value == pytest.approx(1.0, abs=1e-6)
        assert (other[name] or 0) < 0.5


def test_too_little_speech_has_a_reason() -> None:
    sound = _babble(0.3)
    found = heard({BY: {"sound": sound}}, {BY: {"sound": sound}})
    assert values("stoi", None, found)["stoi.stoi"] == (
        None,
        "the source has less than 0.4 s of speech",
    )


def test_the_package_is_named_where_it_is_missing() -> None:
    needs = [need.package for need in observers.find(BY).needs]
    assert needs == ["pystoi"]
    assert all(metric.made == (BY,) for metric in metrics.ask("stoi", None))
