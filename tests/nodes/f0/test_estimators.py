"""What holds for every F0 estimator: they are exchanged by one word."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.registry import find
from voicegraph.nodes.f0._rmvpe_example import write
from voicegraph.nodes.f0.estimator import fill_gaps

from ...tolerance import FLOAT32, assert_close, share

pytestmark = pytest.mark.numeric

NEAREST_BIN = share(0.01, "17 cents: the bins of the networks are 20 cents wide")
AT_AN_EDGE = share(0.05, "85 cents: half of the window is silence")

RATE = 16000
EXTRAS = {
    "f0.crepe": ("crepe", "torchcrepe"),
    "f0.fcpe": ("fcpe", "torchfcpe"),
    "f0.praat": ("praat", "parselmouth"),
}
"""Extra and module of the nodes that need a package."""


def _skipped(use: str):
    missing = use in EXTRAS and importlib.util.find_spec(EXTRAS[use][1]) is None
    return pytest.param(
        use, marks=pytest.mark.skipif(missing, reason=f"{use} needs its extra: {EXTRAS.get(use)}")
    )


TRACKERS = [_skipped(use) for use in ("f0.dio", "f0.harvest", "f0.swift", *EXTRAS)]
"""Those that come with all they need."""


def _buzz(f0: np.ndarray) -> np.ndarray:
    """A voice with formant-like weights that follows ``f0``, in Hz, one a sample."""
    phase = 2 * np.pi * np.cumsum(f0) / RATE
    parts = [np.cos(k * phase) / (1 + (k / 4) ** 2) for k in range(1, 15)]
    return (0.1 * np.sum(parts, 0)).astype(np.float32)


def _glide(low: float, high: float, seconds: float) -> np.ndarray:
    """F0 in Hz, one a sample, even in cents."""
    return low * (high / low) ** (np.arange(round(seconds * RATE)) / (seconds * RATE))


def _window(use: str, audio: np.ndarray, **params) -> tuple[np.ndarray, np.ndarray]:
    """F0 and voicing of a whole recording, as one block."""
    pipeline = Pipeline(
        block=f"{len(audio) * 1000 // RATE}ms",
        input={"rate": RATE, "channels": 1},
        nodes={"f0": node(use, "input", **params)},
        output="f0",
    )
    with pipeline.session(warm_up=False) as session:
        found = session.process(audio, taps=["f0.voiced"])
        return found, session.taps["f0.voiced"][0]


@pytest.mark.parametrize("use", [*TRACKERS, "f0.rmvpe"])
def test_one_word_swaps_them(use: str, tmp_path: Path) -> None:
    write(tmp_path / "rmvpe.pt")
    pipeline = Pipeline(
        block="160ms",
        input={"rate": RATE, "channels": 1},
        assets={"rmvpe": str(tmp_path / "rmvpe.pt")},
        nodes={
            "f0": node(use, "input", floor=60.0, ceiling=800.0, fill=False),
            "pitch": node("pitch.cache", {"pitch": "f0", "voiced": "f0.voiced"}),
        },
        output="pitch",
    )
    with pipeline.session(2, warm_up=False) as session:
        assert session.plan.latency.algorithmic == 0
        found = session.process(np.stack([_buzz(np.full(2560, 150.0))] * 2)[:, None])
    assert found.shape == (2, 16)
    assert find(use).interface == "F0Estimator"


@pytest.mark.parametrize("use", TRACKERS)
def test_frames_lie_where_they_say(use: str) -> None:
    """Up and down alike, or the frames would be early or late: 1200 cents a second, 12 a frame."""
    off = []
    for f0 in (_glide(120, 240, 1), _glide(240, 120, 1)):
        found, voiced = _window(use, _buzz(f0))
        inner = slice(25, 75)
        assert voiced[inner].mean() > 0.95
        cents = 1200 * np.log2(np.maximum(found[inner], 1) / f0[::160][inner])
        off.append(np.median(cents[voiced[inner] > 0]))
    assert abs(off[0] - off[1]) / 2 < 4, "frames are more than 3 ms early or late"
    assert abs(off[0] + off[1]) / 2 < 5, "pitch is too high or too low"


@pytest.mark.parametrize("use", TRACKERS)
def test_a_step_lies_where_it_is(use: str) -> None:
    f0 = np.where(np.arange(RATE) < RATE // 2, 150.0, 225.0)
    found, voiced = _window(use, _buzz(f0))
    above = np.flatnonzero((found > 184) & (voiced > 0))
    assert abs(above[0] - 50) <= 3
    assert_close(np.median(found[15:45]), 150, NEAREST_BIN)
    assert_close(np.median(found[55:85]), 225, NEAREST_BIN)


@pytest.mark.parametrize("use", [use for use in TRACKERS if "f0.harvest" not in use.values])
def test_voicing_begins_and_ends_with_the_voice(use: str) -> None:
    """Harvest is left out: it takes any noise for a voice."""
    audio = _buzz(np.full(RATE, 150.0))
    audio[: RATE // 4] = audio[RATE * 3 // 4 :] = 0
    audio += 1e-4 * np.random.default_rng(1).standard_normal(len(audio)).astype(np.float32)
    found, voiced = _window(use, audio, fill=False)
    where = np.flatnonzero(voiced)
    assert abs(where[0] - 25) <= 4
    assert abs(where[-1] - 75) <= 4
    np.testing.assert_array_equal(voiced, found > 0)


@pytest.mark.parametrize("use", TRACKERS)
def test_gaps_are_filled_on_request(use: str) -> None:
    audio = _buzz(np.full(RATE, 150.0))
    audio[RATE // 4 : RATE * 3 // 4] = 0
    _, plain = _window(use, audio, fill=False)
    found, voiced = _window(use, audio, fill=True)
    np.testing.assert_array_equal(plain, voiced)
    assert not voiced[32:68].any()
    assert_close(found[32:68], 150, AT_AN_EDGE)


@pytest.mark.parametrize("use", TRACKERS)
def test_silence_is_unvoiced(use: str) -> None:
    found, voiced = _window(use, np.zeros(RATE // 2, np.float32))
    assert not found.any()
    assert not voiced.any()


@pytest.mark.parametrize("use", TRACKERS)
def test_nothing_is_found_outside_the_range(use: str) -> None:
    found, _ = _window(use, _buzz(_glide(90, 700, 1)), floor=120.0, ceiling=400.0, fill=False)
    assert found.any()
    assert found[found > 0].min() >= 119
    assert found.max() <= 404


@pytest.mark.parametrize("use", TRACKERS)
def test_short_windows_find_the_newest_pitch(use: str) -> None:
    """300 ms, as in a live chain; what lies newest has no future to look at."""
    f0 = _glide(120, 160, 0.9)
    pipeline = Pipeline(
        block="250ms",
        input={"rate": RATE, "channels": 1},
        nodes={"f0": node(use, "input"), "pitch": node("pitch.cache", "f0")},
        output="pitch",
    )
    audio = _buzz(f0)
    with pipeline.session(warm_up=False) as session:
        found = [session.process(audio[s : s + 4000]) for s in range(0, 12000, 4000)][-1]
    expected = f0[8000:12000:160]
    assert (found > 0).mean() > 0.9
    cents = 1200 * np.log2(found[found > 0] / expected[found > 0])
    assert np.median(np.abs(cents)) < 15


@pytest.mark.parametrize("use", EXTRAS)
def test_a_missing_package_is_told_before_anything_runs(use: str, monkeypatch) -> None:
    extra, module = EXTRAS[use]
    monkeypatch.setitem(sys.modules, module, None)
    pipeline = Pipeline(
        block="100ms",
        input={"rate": RATE, "channels": 1},
        nodes={"f0": node(use, "input")},
        output="f0",
    )
    with pytest.raises(PipelineError, match=r"which is not installed") as caught:
        pipeline.compile()
    problem = caught.value.problems[0]
    assert problem.code == "missing-extra"
    assert problem.fix is not None
    assert f'pip install "voicegraph[{extra}]"' in problem.fix


def test_registering_imports_no_package() -> None:
    """Naming a node must not cost a second, nor fail where its package is broken."""
    import subprocess

    code = (
        "import sys; from voicegraph.graph.registry import find\n"
        f"for use in {list(EXTRAS)!r}: find(use)\n"
        f"print([m for m in {[m for _, m in EXTRAS.values()]!r} if m in sys.modules])"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "[]"


def test_gaps_are_filled_linearly_and_held_at_the_ends() -> None:
    f0 = torch.tensor([[0, 100.0, 0, 0, 130, 0], [0] * 6, [50.0] * 6, [0, 0, 0, 0, 0, 7.0]])
    expected = [[100, 100, 110, 120, 130, 130], [0] * 6, [50] * 6, [7] * 6]
    assert_close(fill_gaps(f0.double()), expected, FLOAT32)
