"""Tap files: what passed a port, with its place in time."""

from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import OutputError, PipelineError
from voicegraph.graph.files.sound import _tap_file as tap_file
from voicegraph.graph.files.sound._latency_compensation import LatencyCompensator
from voicegraph.graph.files.sound._tap_file import TapFile
from voicegraph.graph.pipeline import Pipeline, Plan, node

Noise = Callable[..., np.ndarray]


def _plan(channels: int = 1) -> Plan:
    nodes = {
        "late": node("dsp.delay", "input", time="4ms"),
        "mono": node("dsp.to_mono", "late"),
        "f0": node("f0.dio", "mono"),
        "cache": node("pitch.cache", "f0"),
        "vectors": node("io.vectors", rate="100", dim=3),
    }
    keys = {"block": "50ms", "input": {"rate": 16000, "channels": channels}, "output": "late"}
    return Pipeline(nodes=nodes, **keys).compile()


def _tap(plan: Plan, port: str, path: Path, audio: np.ndarray) -> dict[str, Any]:
    tap = TapFile(plan, port, path)
    with plan.session(warm_up=False) as session:
        link = LatencyCompensator(session, [port], lambda _, ticks: tap.add(ticks))
        for piece in np.split(audio, 3, axis=1):
            link.push(piece)
    tap.finish()
    assert not path.exists()
    tap.commit()
    with np.load(path) as found:
        return {name: found[name] for name in found}


def test_ticks_of_a_stream_are_joined(tmp_path: Path, noise: Noise) -> None:
    audio = noise(4800, 2)
    found = _tap(_plan(2), "late.out", tmp_path / "a.npz", audio)
    assert found["values"].dtype == np.float32
    assert found["values"].shape == (2, 4800)
    np.testing.assert_array_equal(found["values"][:, 64:], audio[:, :-64])
    assert found["rate"] == 16000
    assert found["block"] == 0.05
    assert (found["interval_start"], found["interval_end"]) == (-0.05, 0.0)
    assert found["start"] == 0.0
    assert (str(found["kind"]), str(found["port"])) == ("audio", "late.out")
    assert not found["window"]


def test_input_itself_can_be_tapped(tmp_path: Path, noise: Noise) -> None:
    audio = noise(2400)
    np.testing.assert_array_equal(
        _tap(_plan(), "input", tmp_path / "a.npz", audio)["values"], audio
    )


def test_unknown_port_and_pruned_node_are_errors(tmp_path: Path) -> None:
    plan = _plan()
    with pytest.raises(PipelineError, match="late has no output `in`; it has: out"):
        TapFile(plan, "late.in", tmp_path / "a.npz")
    with pytest.raises(PipelineError, match="it was pruned"):
        TapFile(plan, "cache", tmp_path / "a.npz")
    assert list(tmp_path.iterdir()) == []


def test_extension_must_be_npz(tmp_path: Path) -> None:
    with pytest.raises(OutputError) as caught:
        TapFile(_plan(), "late", tmp_path / "a.npy")
    assert caught.value.problems[0].fix == f"late={tmp_path / 'a.npz'}"


def test_existing_file_needs_force(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    path.write_text("old")
    with pytest.raises(OutputError, match="exists"):
        TapFile(_plan(), "late", path)
    TapFile(_plan(), "late", path, force=True).discard()
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_full_disk_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tap = TapFile(_plan(), "late", tmp_path / "a.npz")

    class Full:
        def write(self, _: object) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

        def close(self) -> None:
            pass

    tap._spool.close()
    monkeypatch.setattr(tap, "_spool", Full())
    with pytest.raises(OutputError, match="No space left") as caught:
        tap.add([np.zeros((1, 1, 800), np.float32)])
    assert "make room" in (caught.value.problems[0].fix or "")
    tap.discard()
    assert list(tmp_path.iterdir()) == []


def test_full_disk_at_the_end_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The archive cannot be closed then, and what is buffered cannot be written."""
    tap = TapFile(_plan(), "late", tmp_path / "a.npz")
    tap.add([np.zeros((1, 1, 800), np.float32)])

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(tap_file.shutil, "copyfileobj", full)
    with pytest.raises(OutputError, match=r"a\.npz cannot be written: No space left"):
        tap.finish()
    tap._spool.close()
    monkeypatch.setattr(tap, "_spool", SimpleNamespace(close=full))
    tap.discard()
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def voice() -> Plan:
    """A pipeline whose output depends on a pitch window and on a stream of features."""
    nodes = {
        "f0": node("f0.dio", "input"),
        "cache": node("pitch.cache", "f0"),
        "spectrum": node("world.analyze", {"audio": "input", "pitch": "cache"}),
        "voice": node(
            "world.synthesize",
            {
                "pitch": "cache",
                "envelope": "spectrum.envelope",
                "aperiodicity": "spectrum.aperiodicity",
            },
            rate=16000,
        ),
        "join": node("dsp.sola", "voice"),
    }
    return Pipeline(block="50ms", input={"rate": 16000}, nodes=nodes, output="join").compile()


def test_windows_get_an_axis_of_ticks(voice: Plan, tmp_path: Path, noise: Noise) -> None:
    found = _tap(voice, "cache.pitch", tmp_path / "a.npz", noise(4800))
    spec = voice.spec(voice.port("cache.pitch"))
    assert found["window"]
    assert found["values"].shape == (6, spec.count)
    assert found["start"] == pytest.approx(0.05 + float(spec.interval.start))
    features = _tap(voice, "spectrum.envelope", tmp_path / "b.npz", noise(4800))
    spec = voice.spec(voice.port("spectrum.envelope"))
    assert features["values"].shape == (6, *spec.shape(1)[1:])
