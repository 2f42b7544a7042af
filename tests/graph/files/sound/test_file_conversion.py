"""``convert_file``: one file in, one file out, and what is left when something goes wrong."""

from __future__ import annotations

import gc
import json
import struct
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import InputError, OutputError, PipelineError, Problem, SignalError
from voicegraph.graph.files.sound.file_conversion import Extras, convert_file
from voicegraph.graph.files.sound.output_form import OutputForm
from voicegraph.graph.machine import resident_bytes
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime._trace import TraceWriter

from ....tolerance import SAMPLES, assert_close

Maker = Callable[..., Path]


def _pipeline(**keys: Any) -> Pipeline:
    nodes = {
        "gain": node("dsp.gain", "input", db=-6.0),
        "limit": node("dsp.limiter", "gain", ceiling=0.0),
    }
    return Pipeline(**{"block": "10ms", "nodes": nodes, "output": "limit", **keys})


def _left(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_report_describes_the_conversion(sound: Maker, tmp_path: Path) -> None:
    source = sound("in.wav", 48_123, subtype="FLOAT")
    report = convert_file(
        _pipeline(), source, tmp_path / "out.wav", form=OutputForm(subtype="float")
    )
    made, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    expected = soundfile.read(source, dtype="float32")[0] * 10 ** (-6 / 20)
    assert_close(made, expected, SAMPLES)
    assert (rate, report.target.rate_hz) == (48000, 48000)
    assert report.source.frames == report.target.frames == 48_123
    assert report.source.encoding == "WAV FLOAT"
    assert report.latency_ms == 5.0
    assert report.peak_db == pytest.approx(20 * np.log10(np.abs(made).max()), abs=1e-3)
    assert report.real_time_factor == pytest.approx(report.process_s * 48000 / 48_123)
    assert (report.clipped, report.silenced_blocks, report.stopped) == (0, 0, False)


@pytest.mark.parametrize("rate", [44100, 11025])
def test_latencies_of_all_sessions_are_reported(sound: Maker, tmp_path: Path, rate: int) -> None:
    source = sound("in.flac", 3001, rate, 2)
    report = convert_file(_pipeline(), source, tmp_path / "out.wav")
    assert report.target.frames == round(3001 * 48000 / rate)
    assert report.latency_ms > 5.0
    assert bool(report.notes) is (rate == 11025)


def test_progress_ends_at_the_full_length(sound: Maker, tmp_path: Path) -> None:
    told: list[tuple[float, float | None]] = []
    source = sound("in.wav", 200_000)
    convert_file(
        _pipeline(), source, tmp_path / "out.wav", progress=lambda *args: told.append(args)
    )
    assert told[-1] == (200_000 / 48000, 200_000 / 48000)
    assert len(told) > 2
    assert told == sorted(told)


def test_taps_and_trace_are_written(sound: Maker, tmp_path: Path) -> None:
    extras = Extras({"gain": tmp_path / "gain.npz"}, tmp_path / "trace.json")
    report = convert_file(_pipeline(), sound("in.wav"), tmp_path / "out.wav", extras=extras)
    assert report.taps == {"gain": str(tmp_path / "gain.npz")}
    with np.load(tmp_path / "gain.npz") as found:
        assert found["values"].shape == (1, 5280)  # the input, and what pushed its end out
    events = json.loads((tmp_path / "trace.json").read_text(encoding="utf-8"))
    assert [e["name"] for e in events if e["ph"] == "X"] == ["gain", "limit"] * 11
    assert _left(tmp_path) == ["gain.npz", "in.wav", "out.wav", "trace.json"]


def test_clipped_samples_are_counted(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "in.wav", np.full(1000, 0.9), 48000)
    nodes = {"gain": node("dsp.gain", "input", db=6.0)}
    pipeline = _pipeline(nodes=nodes, output="gain")
    report = convert_file(pipeline, tmp_path / "in.wav", tmp_path / "out.wav")
    assert report.clipped == 1000
    assert report.peak_db == pytest.approx(20 * np.log10(0.9) + 6, abs=0.01)


# ---- NaN ----------------------------------------------------------------------------------------


@pytest.fixture
def broken(tmp_path: Path) -> Path:
    """A second of sound with NaN at 0.5 s."""
    samples = np.full(48000, 0.1, np.float32)
    samples[24_000:24_010] = np.nan
    soundfile.write(tmp_path / "in.wav", samples, 48000, "FLOAT")
    return tmp_path / "in.wav"


def test_nan_is_an_error_with_time_and_file(broken: Path, tmp_path: Path) -> None:
    with pytest.raises(SignalError, match=r"the first at 0\.500 s") as caught:
        convert_file(_pipeline(), broken, tmp_path / "out.wav")
    assert f"while converting {broken}" in str(caught.value)
    assert _left(tmp_path) == ["in.wav"]


@pytest.mark.parametrize("rate", [48000, 11025])
def test_nan_becomes_silence_if_the_policy_says_so(broken: Path, tmp_path: Path, rate: int) -> None:
    samples, _ = soundfile.read(broken)
    soundfile.write(broken, samples, rate, "FLOAT")
    report = convert_file(_pipeline(on_nan="silence"), broken, tmp_path / "out.wav")
    assert report.silenced_blocks == 1
    assert np.isfinite(soundfile.read(tmp_path / "out.wav")[0]).all()


# ---- Ctrl-C -------------------------------------------------------------------------------------


def test_interrupt_keeps_the_audio_converted_so_far(sound: Maker, tmp_path: Path) -> None:
    source = sound("in.wav", 400_000)
    extras = Extras({"gain": tmp_path / "gain.npz"}, tmp_path / "trace.json")

    def stop(done: float, _: float | None) -> None:
        if done > 4.0:
            raise KeyboardInterrupt

    report = convert_file(_pipeline(), source, tmp_path / "out.wav", extras=extras, progress=stop)
    made, _ = soundfile.read(tmp_path / "out.wav")
    expected, _ = soundfile.read(source)
    assert report.stopped
    assert 4.0 < len(made) / 48000 == report.target.seconds < 6.0
    assert_close(made, expected[: len(made)] * 10 ** (-6 / 20), SAMPLES)
    assert _left(tmp_path) == ["gain.npz", "in.wav", "out.wav", "trace.json"]


def test_interrupt_before_any_output_leaves_nothing(
    sound: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voicegraph.graph.files.sound import _latency_compensation as latency_compensation

    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(latency_compensation.LatencyCompensator, "push", stop)
    with pytest.raises(KeyboardInterrupt):
        convert_file(_pipeline(), sound("in.wav"), tmp_path / "out.wav")
    assert _left(tmp_path) == ["in.wav"]


# ---- what must not happen -----------------------------------------------------------------------


def test_input_is_never_overwritten(sound: Maker, tmp_path: Path) -> None:
    source = sound("in.wav")
    before = source.read_bytes()
    for target, extras in (
        (source, None),
        (tmp_path / "." / "in.wav", None),
        (tmp_path / "out.wav", Extras(trace=source)),
    ):
        with pytest.raises(OutputError, match="is the input itself") as caught:
            convert_file(_pipeline(), source, target, force=True, extras=extras)
        assert caught.value.problems[0].fix == str(tmp_path / "in.converted.wav")
    assert source.read_bytes() == before


def test_two_outputs_with_one_name_are_an_error(sound: Maker, tmp_path: Path) -> None:
    extras = Extras({"gain": tmp_path / "a.npz", "limit": tmp_path / "a.npz"})
    with pytest.raises(OutputError, match=r"two outputs would be written to .*a\.npz"):
        convert_file(_pipeline(), sound("in.wav"), tmp_path / "out.wav", extras=extras)
    assert _left(tmp_path) == ["in.wav"]


def test_truncated_file_leaves_nothing_unless_salvaged(sound: Maker, tmp_path: Path) -> None:
    source = sound("in.flac", 400_000)
    data = source.read_bytes()
    source.write_bytes(data[: len(data) // 2])
    with pytest.raises(InputError, match="truncated"):
        convert_file(_pipeline(), source, tmp_path / "out.wav")
    assert _left(tmp_path) == ["in.flac"]
    report = convert_file(_pipeline(), source, tmp_path / "out.wav", salvage=True)
    assert report.target.frames == report.source.frames > 100_000
    assert "truncated" in report.notes[0]


def test_unknown_tap_leaves_no_files(sound: Maker, tmp_path: Path) -> None:
    extras = Extras({"gain": tmp_path / "a.npz", "nobody": tmp_path / "b.npz"})
    with pytest.raises(PipelineError, match="nobody"):
        convert_file(_pipeline(), sound("in.wav"), tmp_path / "out.wav", extras=extras)
    assert _left(tmp_path) == ["in.wav"]


def test_disk_full_while_the_trace_is_written(
    sound: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(trace: TraceWriter, *_: object) -> None:
        raise OutputError(Problem("cannot-write", f"{trace.path}: No space left"))

    monkeypatch.setattr(TraceWriter, "add", full)
    extras = Extras(trace=tmp_path / "trace.json")
    with pytest.raises(OutputError, match=r"trace\.json: No space left"):
        convert_file(_pipeline(), sound("in.wav"), tmp_path / "out.wav", extras=extras)
    assert _left(tmp_path) == ["in.wav"]


def test_plans_are_reused_for_the_next_file(sound: Maker, tmp_path: Path) -> None:
    plans: dict[Any, Any] = {}
    first, second = sound("a.wav"), sound("b.wav", 9600)
    for source in (first, second, sound("c.wav", rate=44100)):
        convert_file(_pipeline(), source, tmp_path / f"{source.stem}.flac", plans=plans)
    assert len(plans) == 2


# ---- memory -------------------------------------------------------------------------------------


def _silence(path: Path, seconds: int, rate: int) -> Path:
    """A long 16-bit WAV file that takes no room on disks that can skip zeros."""
    size = 2 * seconds * rate
    head = struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + size, b"WAVE", b"fmt ", 16, 1, 1, rate,
                       2 * rate, 2, 16, b"data", size)  # fmt: skip
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)
    return path


def _gain(rate: int) -> Pipeline:
    nodes = {"gain": node("dsp.gain", "input", db=-6.0)}
    return Pipeline(block="200ms", input={"rate": rate}, nodes=nodes, output="gain")


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for seconds in (30, 30, 300):
        source = _silence(tmp_path / "in.wav", seconds, 8000)
        extras = Extras({"gain": tmp_path / "gain.npz"})
        gc.collect()
        tracemalloc.start()
        convert_file(_gain(8000), source, tmp_path / "out.wav", force=True, extras=extras)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[2] < peaks[1] + 500_000  # the samples alone are 9.6 MB


@pytest.mark.slow
def test_two_hours_convert_in_constant_memory(tmp_path: Path) -> None:
    """At 16 kHz, through a resampler in the plan: 460 MB of samples as float32."""
    convert_file(_gain(48000), _silence(tmp_path / "a.wav", 20, 16000), tmp_path / "a.flac")
    before = resident_bytes()
    assert before is not None
    seen: list[int] = []

    def look(done: float, _: float | None) -> None:
        if int(done) % 300 < 5:
            seen.append(resident_bytes() or 0)

    source = _silence(tmp_path / "in.wav", 7200, 16000)
    report = convert_file(_gain(48000), source, tmp_path / "out.flac", progress=look)
    assert report.target.frames == 7200 * 48000
    assert len(seen) > 20
    assert max(seen) - before < 40e6
