"""Speaker similarity."""

from __future__ import annotations

import numpy as np
import pytest

from voicegraph.experiments.evaluation import NOT_MEASURED, Observations
from voicegraph.experiments.task import Result

from .heard import heard, values

BY = "speaker.ge2e"


def _vector(degrees: float) -> dict[str, np.ndarray]:
    angle = np.deg2rad(degrees)
    return {"vector": np.array([np.cos(angle), np.sin(angle)], np.float32)}


def test_the_target_is_the_mean_of_its_speech() -> None:
    targets = [{BY: _vector(50)}, {BY: _vector(70)}]
    found = values("likeness", None, heard({BY: _vector(0)}, {BY: _vector(90)}, targets=targets))
    assert found["likeness.target"].value == pytest.approx(0.5, abs=1e-6)
    assert found["likeness.source"].value == pytest.approx(0.0, abs=1e-6)


def test_utterances_without_speech_say_nothing() -> None:
    silent = Observations({BY: Result({}, {NOT_MEASURED: "the sound is silent"})})
    found = heard({BY: _vector(0)}, targets=[silent, {BY: _vector(60)}])
    assert values("likeness", "target", found)["likeness.target"].value == pytest.approx(0.5)


def test_without_target_or_source_there_is_a_reason() -> None:
    found = values("likeness", None, heard({BY: _vector(0)}))
    assert found["likeness.target"] == (None, "there is no speech of the target")
    assert found["likeness.source"] == (None, "there is no source to compare with")
