"""``pipelines/rvc-file.yaml``: whole files, with context on both sides."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.pipeline import Pipeline

from ..tolerance import INAUDIBLE, assert_close

pytestmark = pytest.mark.numeric

RATE = 16000


@pytest.fixture(scope="module")
def given(
    tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]
) -> dict[str, Any]:
    """Overrides that name small files; blocks of 1 s, so that there are several."""
    folder = tmp_path_factory.mktemp("rvc")
    write_models(folder)
    return {
        "vars.voice": str(folder / "voice.pth"),
        "assets.hubert": str(folder / "hubert.safetensors"),
        "vars.index": str(folder / "added.index"),
        "block": "1s",
        "vars.extra": "500ms",
    }


def _speech(seconds: float) -> np.ndarray:
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(140 * (1 + 0.2 * np.sin(3 * time))) / RATE
    return (0.1 * np.sum([np.sin(k * phase) / k for k in range(1, 9)], 0)).astype(np.float32)


def _run(given: dict[str, Any], audio: np.ndarray, **overrides: Any) -> np.ndarray:
    plan = Pipeline.load("rvc-file", {**given, "input.rate": RATE, **overrides}).compile()
    with plan.session(warm_up=False) as session:
        made = np.concatenate((session.push(audio), session.flush()))
    return made[plan.latency_out :][: len(audio)]


def test_blocks_have_context_on_both_sides(given: dict[str, Any]) -> None:
    plan = Pipeline.load("rvc-file", given).compile()
    voice = plan.find("voice")
    heard, made = voice.given["content"].interval, voice.asked["audio"].interval
    assert float(made.start - heard.start) == pytest.approx(0.5)
    assert float(heard.end - made.end) == pytest.approx(0.46)


def test_loudness_of_the_original_on_request(given: dict[str, Any]) -> None:
    audio = _speech(3)
    loud = _run(given, audio, **{"vars.loudness": 0.0})
    middle = slice(RATE, 2 * RATE)
    level = np.sqrt(np.mean(loud[middle] ** 2)) / np.sqrt(np.mean(audio[middle] ** 2))
    assert level == pytest.approx(1, rel=0.1)
    own = _run(given, audio, **{"vars.loudness": 1.0})
    assert abs(np.sqrt(np.mean(own[middle] ** 2)) / np.sqrt(np.mean(loud[middle] ** 2)) - 1) > 0.05


def test_protection_matters_where_nothing_is_voiced(given: dict[str, Any]) -> None:
    """Silence has no pitch, so all of it keeps the features that were heard."""
    silence = np.zeros(2 * RATE, np.float32)
    steady = {**given, "vars.noise_scale": 0, "vars.source_noise": 0, "vars.loudness": 1}
    kept = _run(steady, silence, **{"vars.protect": 0.0, "vars.index_rate": 1.0})
    heard = _run(steady, silence, **{"vars.index_rate": 0.0})
    taken = _run(steady, silence, **{"vars.protect": 0.5, "vars.index_rate": 1.0})
    assert_close(kept, heard, INAUDIBLE)
    assert np.abs(taken - heard).max() > 1e-3


def test_no_index_leaves_out_protection(given: dict[str, Any]) -> None:
    plan = Pipeline.load("rvc-file", {**given, "vars.index": None}).compile()
    assert set(plan.bypassed) == {"retrieval", "protect", "auto", "tune", "out"}
