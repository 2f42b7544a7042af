"""The engine loop on a simulated card: delay, drift, overruns, silence."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.live._gain_switches import dry_session
from voicegraph.graph.live._silence_gate import SilenceGate
from voicegraph.graph.live.engine_loop import EngineLoop
from voicegraph.graph.live.simulated_card import CaptureSource, SimulatedDevice, Simulation

RATE = 48000
BLOCK = 960
MARGIN = 144
BEGUN = 3 * RATE
"""By then the clocks have settled and audio is played."""
SLOPE = 0.5 * 2 * np.pi * 440 / RATE

MakeLoop = Callable[..., EngineLoop]
MakeSine = Callable[[float], CaptureSource]


def _delay(audio: np.ndarray, sound: CaptureSource, start: int, count: int = 4800) -> int:
    """Delay in samples of the output from ``start`` on relative to the input."""
    part = audio[start : start + count]
    said = sound(start - 9600, count + 9600)[:, 0]
    errors = [np.abs(said[9600 - d : 9600 - d + count] - part).max() for d in range(9600)]
    return int(np.argmin(errors))


def _noise(start: int, count: int) -> np.ndarray:
    values = np.random.default_rng(7).uniform(-0.5, 0.5, 48000).astype(np.float32)
    return values[np.arange(start, start + count) % 48000, None]


def _gaps_ms(audio: np.ndarray) -> list[float]:
    """Lengths of spans of silence in ms."""
    quiet = np.concatenate(([0], (np.abs(audio) < 1e-6).astype(int), [0]))
    edges = np.flatnonzero(np.diff(quiet)).reshape(-1, 2)
    return [1e3 * (b - a) / RATE for a, b in edges if b - a > 48]


def test_one_clock_is_bit_exact_at_declared_delay(make_loop: MakeLoop, played: Any) -> None:
    loop = make_loop(one_clock=True)
    end = SimulatedDevice(RATE, 240)
    Simulation(loop, end, end, _noise, cost=lambda tick: 0.01, played=played).run(5)
    audio = played.audio
    delay = _delay(audio, _noise, BEGUN)
    # A block to fill and one to play, the margin, and the callback that is being filled.
    assert delay == 2 * BLOCK + MARGIN + 240 - 240
    said = _noise(BEGUN - delay, len(audio) - BEGUN)[:, 0]
    assert np.array_equal(audio[BEGUN:], said)
    assert (loop.counts.late, loop.counts.dropped, loop.playback.underruns) == (0, 0, 0)


@pytest.mark.parametrize("ppm", [0.0, 200.0, -200.0])
def test_drift_of_two_clocks_is_compensated(
    make_loop: MakeLoop, make_sine_wave: CaptureSource, played: Any, ppm: float
) -> None:
    loop = make_loop()
    capture, play = SimulatedDevice(RATE, 480, ppm), SimulatedDevice(RATE, 256, 0.0, jitter_s=0.001)
    simulation = Simulation(
        loop, capture, play, make_sine_wave, cost=lambda _: 0.005, played=played
    )
    simulation.run(20)
    before = loop.compensation.error
    simulation.run(70)
    assert abs(loop.compensation.error) < 0.0006 or abs(before) > abs(loop.compensation.error)
    assert loop.compensation.drift == pytest.approx(1e-6 * ppm, abs=6e-6)
    assert loop.compensation.stretch == pytest.approx(-1e-6 * ppm, abs=2e-5)
    assert (loop.counts.late, loop.playback.underruns, loop.compensation.realigned) == (0, 0, 0)
    slope = np.abs(np.diff(played.audio[BEGUN:])).max()
    assert slope < SLOPE * 1.001


def test_two_clocks_without_drift_are_bit_exact(make_loop: MakeLoop, played: Any) -> None:
    loop = make_loop()
    end = SimulatedDevice(RATE, 480)
    Simulation(loop, end, end, _noise, cost=lambda _: 0.005, played=played).run(5)
    audio = played.audio
    delay = _delay(audio, _noise, BEGUN)
    assert np.array_equal(audio[BEGUN:], _noise(BEGUN - delay, len(audio) - BEGUN)[:, 0])


@pytest.fixture
def make_sine_wave(sine: MakeSine) -> CaptureSource:
    return sine(440)


@pytest.mark.parametrize("one_clock", [True, False])
@pytest.mark.parametrize("takes", [0.035, 0.05, 0.2, 1.5])
def test_delay_is_unchanged_after_an_overrun(
    make_loop: MakeLoop, played: Any, takes: float, one_clock: bool
) -> None:
    loop = make_loop(one_clock=one_clock)
    end = SimulatedDevice(RATE, 480)

    def cost(tick: int) -> float:
        return takes if tick == 150 else 0.005

    simulation = Simulation(loop, end, end, _noise, cost=cost, played=played)
    simulation.run(8)
    audio = played.audio
    # Silence lasts as long as the block took beyond its time, and what was dropped with it.
    assert sum(_gaps_ms(audio[BEGUN:])) < 1e3 * takes - 20 + 20
    assert _delay(audio, _noise, BEGUN) == _delay(audio, _noise, len(audio) - 9600)
    last = BEGUN + np.flatnonzero(np.abs(audio[BEGUN:]) < 1e-6)[-1]
    late = _delay(audio, _noise, BEGUN)
    said = _noise(int(last) + 1000 - late, 4800)[:, 0]
    assert np.array_equal(audio[last + 1000 : last + 5800], said)
    assert loop.counts.late >= 1
    assert loop.counts.worst_s == pytest.approx(takes - 0.02 - 0.003, abs=0.021)


@pytest.mark.parametrize(("on_late", "steepest"), [("fade", 1.001), ("dry", 1.001)])
@pytest.mark.parametrize("takes", [0.035, 0.3])
def test_overruns_do_not_click(
    make_loop: MakeLoop,
    make_sine_wave: CaptureSource,
    played: Any,
    on_late: str,
    steepest: float,
    takes: float,
) -> None:
    loop = make_loop(on_late=on_late)
    if on_late == "dry":
        loop.dry = dry_session(loop.session.plan)
    end = SimulatedDevice(RATE, 480)

    def cost(tick: int) -> float:
        return takes if tick % 50 == 49 else 0.005

    Simulation(loop, end, end, make_sine_wave, cost=cost, played=played).run(8)
    slope = np.abs(np.diff(played.audio[BEGUN:])).max()
    # A fade over 5 ms adds at most its own slope, half of which is the signal's.
    assert slope < SLOPE * steepest + 0.5 * np.pi / 2 / 240
    assert loop.playback.underruns > 3


def test_dry_policy_fills_the_gap_of_an_overrun(
    make_loop: MakeLoop, make_sine_wave: CaptureSource, played: Any
) -> None:
    loop = make_loop(on_late="dry", delay="20ms")
    loop.dry = dry_session(loop.session.plan)
    end = SimulatedDevice(RATE, 480)

    def cost(tick: int) -> float:
        return 0.035 if tick % 50 == 49 else 0.005

    Simulation(loop, end, end, make_sine_wave, cost=cost, played=played).run(7)
    audio = played.audio[BEGUN:]
    assert loop.playback.underruns > 2
    assert _gaps_ms(audio) == []
    level = np.sqrt(np.convolve(audio**2, np.ones(480) / 480, "valid"))
    assert level.min() > 0.15


def test_silence_policy_cuts_without_fade(
    make_loop: MakeLoop, make_sine_wave: CaptureSource, played: Any
) -> None:
    loop = make_loop(on_late="silence")
    end = SimulatedDevice(RATE, 480)

    def cost(tick: int) -> float:
        return 0.035 if tick == 150 else 0.005

    Simulation(loop, end, end, make_sine_wave, cost=cost, played=played).run(8)
    assert np.abs(np.diff(played.audio[BEGUN:])).max() > 0.1


def test_slow_pipeline_is_partly_played(
    make_loop: MakeLoop, make_sine_wave: CaptureSource, played: Any
) -> None:
    loop = make_loop()
    end = SimulatedDevice(RATE, 480)
    Simulation(loop, end, end, make_sine_wave, cost=lambda _: 0.026, played=played).run(10)
    audio = played.audio[BEGUN:]
    assert loop.counts.dropped > 50
    assert np.mean(np.abs(audio) > 0.01) > 0.4
    assert loop.capture.head - loop.capture.tail < 3 * BLOCK
    assert loop.attribution.counts["pass"] > 0


def test_delay_is_unchanged_after_a_device_returns(make_loop: MakeLoop, played: Any) -> None:
    loop = make_loop()
    capture = SimulatedDevice(RATE, 480, away=((4.0, 6.0),))
    play = SimulatedDevice(RATE, 480, away=((4.0, 6.0),))
    simulation = Simulation(loop, capture, play, _noise, cost=lambda _: 0.005, played=played)
    simulation.run(5)
    loop.restart()
    simulation.run(8)
    audio = played.audio
    before = _delay(audio, _noise, BEGUN)
    shift = 2 * RATE  # what was played is two seconds shorter than what was said
    after = _delay(audio, lambda start, count: _noise(start + shift, count), 7 * RATE)
    assert abs(after - before) < 0.001 * RATE


def test_lost_input_is_corrected_by_a_jump(make_loop: MakeLoop, played: Any) -> None:
    loop = make_loop()
    events = []
    loop._note = lambda tick, **what: events.append(what)
    capture = SimulatedDevice(RATE, 480, away=((4.0, 4.1),))
    simulation = Simulation(
        loop, capture, SimulatedDevice(RATE, 480), _noise, cost=lambda _: 0.005, played=played
    )
    simulation.run(8)
    assert loop.compensation.realigned >= 1
    assert abs(loop.compensation.error) < 0.001
    assert any("realigned" in event for event in events)
    audio = played.audio
    assert abs(_delay(audio, _noise, BEGUN) - _delay(audio, _noise, 7 * RATE)) < 0.002 * RATE


def _words(start: int, count: int) -> np.ndarray:
    """Half a second of noise every two seconds, with an onset in the middle of a block."""
    at = np.arange(start, start + count)
    loud = (at % (2 * RATE)) // (RATE // 2) == 1
    values = _noise(start, count)[:, 0]
    return np.where(loud, values, values * 1e-4).astype(np.float32)[:, None]


def test_skipped_silence_cuts_no_onset(make_loop: MakeLoop, played: Any) -> None:
    gate = SilenceGate(-50, -56, 0.1, RATE, 0.02)
    loop = make_loop(one_clock=True, delay="30ms", gate=gate)
    end = SimulatedDevice(RATE, 480)
    Simulation(loop, end, end, _words, cost=lambda _: 0.005, played=played).run(9)
    assert loop.counts.skipped > 150
    audio = played.audio
    delay = 2 * BLOCK + MARGIN + 1440
    said = _words(0, len(audio) - delay)[:, 0]
    loud = np.abs(said) > 1e-4
    loud[:BEGUN] = False
    assert np.array_equal(audio[delay:][loud], said[loud])
    assert loop.session.position < 9 / 0.02 - 150


def test_monitor_adds_the_dry_signal(
    make_loop: MakeLoop, make_sine_wave: CaptureSource, played: Any
) -> None:
    loop = make_loop(one_clock=True)
    loop.dry = dry_session(loop.session.plan)
    end = SimulatedDevice(RATE, 480)
    simulation = Simulation(loop, end, end, make_sine_wave, cost=lambda _: 0.001, played=played)
    simulation.run(5)
    loop.switches.monitor.target = 1.0
    simulation.run(2)
    loop.switches.mute.target = 0.0
    simulation.run(2)
    audio = played.audio
    peaks = [np.abs(audio[int(s * RATE) : int((s + 0.5) * RATE)]).max() for s in (4, 6, 8)]
    assert peaks == pytest.approx([0.5, 1.0, 0.5], abs=0.01)
    assert np.abs(np.diff(audio[BEGUN:])).max() < 2 * SLOPE + 0.01


@pytest.mark.slow
@pytest.mark.parametrize("ppm", [200.0, -200.0])
def test_one_hour_of_drift_is_compensated(
    make_loop: MakeLoop, make_sine_wave: CaptureSource, ppm: float
) -> None:
    loop = make_loop(block="100ms")
    worst = [0.0, 0.0]
    last = np.zeros(2, np.float32)

    def played(position: int, frames: np.ndarray) -> None:
        if position > BEGUN:
            joined = np.concatenate((last, frames[:, 0]))
            worst[0] = max(worst[0], float(np.abs(np.diff(joined)).max()))
        last[:] = frames[-2:, 0]

    capture, play = (
        SimulatedDevice(RATE, 2400, ppm),
        SimulatedDevice(RATE, 2400, 0.0, jitter_s=0.002),
    )
    simulation = Simulation(loop, capture, play, make_sine_wave, cost=lambda _: 0.03, played=played)
    simulation.run(60)
    for _ in range(59):
        simulation.run(60)
        worst[1] = max(worst[1], abs(loop.compensation.error))
    assert worst[1] < 0.001
    assert worst[0] < SLOPE * 1.001
    assert (loop.counts.late, loop.counts.dropped, loop.playback.underruns) == (0, 0, 0)
    assert loop.compensation.realigned == 0


# ---- nodes that fail ----------------------------------------------------------------------------


@pytest.mark.parametrize("on_late", ["fade", "silence", "dry"])
@pytest.mark.parametrize("muted", [False, True])
def test_failed_node_is_replaced_by_dry_only_if_chosen(
    make_loop: MakeLoop,
    sine: MakeSine,
    played: Any,
    monkeypatch: pytest.MonkeyPatch,
    on_late: str,
    muted: bool,
) -> None:
    loop = make_loop(on_late=on_late, delay="10ms")
    loop.dry = dry_session(loop.session.plan) if on_late == "dry" else None
    loop.switches.mute.set_now(0.0 if muted else 1.0)
    loop.session.recover_from_faults(lambda _: None)
    delay = type(loop.session.engine.by_name["pass"].node)
    process = delay.process

    def fails(*args: Any) -> Any:
        if loop.session.position >= 100:
            raise ZeroDivisionError
        return process(*args)

    monkeypatch.setattr(delay, "process", fails)
    end = SimulatedDevice(RATE, 480)
    Simulation(loop, end, end, sine(440), cost=lambda _: 0.004, played=played).run(6)
    assert loop.session.silenced
    heard = float(np.abs(played.audio[-RATE:]).max())
    assert heard == pytest.approx(0.5 if on_late == "dry" and not muted else 0.0, abs=0.01)
    if on_late != "silence":
        assert np.abs(np.diff(played.audio[BEGUN:])).max() < 0.05
    assert (loop.counts.late, loop.counts.dropped) == (0, 0)
