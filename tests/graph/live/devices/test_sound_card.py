"""A pair of devices through a fake PortAudio."""

from __future__ import annotations

import threading
import time
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import DeviceError
from voicegraph.graph.live.devices import sound_card
from voicegraph.graph.live.devices.device_list import find_device
from voicegraph.graph.live.devices.sound_card import DeviceChoice, SoundCard
from voicegraph.graph.signals import Audio

from ....fake_sounddevice import FakeSoundDevice, Stream


class _Engine:
    """Keeps the arguments of the callbacks."""

    def __init__(self) -> None:
        self.captured: list[tuple[np.ndarray, bool]] = []
        self.starved: list[bool] = []

    def capture(self, frames: np.ndarray, when: float, lost: bool) -> None:
        assert abs(when - time.perf_counter()) < 1
        self.captured.append((frames.copy(), lost))

    def play(self, into: np.ndarray, when: float, starved: bool) -> None:
        into[:] = 0.5
        self.starved.append(starved)


def _choice(system: FakeSoundDevice, index: int, direction: Any, rate: int, n: int) -> DeviceChoice:
    return DeviceChoice(find_device(index, direction, system), Audio(Fraction(rate), n))


def _card(system: FakeSoundDevice, first: int = 0, second: int = 1, rate: int = 48000) -> SoundCard:
    ends = (_choice(system, first, "input", 48000, 1), _choice(system, second, "output", rate, 2))
    return SoundCard(*ends, module=system)


def _started(system: FakeSoundDevice, *devices: int) -> tuple[SoundCard, _Engine, list[Stream]]:
    card, engine = _card(system, *devices), _Engine()
    card.start(engine.capture, engine.play)
    return card, engine, system.streams


def test_one_device_opens_one_stream(sound_system: FakeSoundDevice) -> None:
    card, engine, (stream,) = _started(sound_system, 2, 2)
    assert card.one_clock
    assert stream.options["device"] == (2, 2)
    assert stream.options["channels"] == (1, 2)
    assert stream.options["blocksize"] == 480
    assert (card.input.latency, card.output.latency) == (0.01, 0.01)
    played = stream.call(480, 0.25)
    assert np.all(played == 0.5)
    assert engine.captured[0][0].shape == (480, 1)
    assert np.all(engine.captured[0][0] == 0.25)
    assert (engine.captured[0][1], engine.starved) == (False, [False])


def test_two_devices_or_rates_open_two_streams(
    sound_system: FakeSoundDevice,
) -> None:
    card, engine, (recording, playing) = _started(sound_system, 0, 1)
    assert not card.one_clock
    assert (card.input.name, card.output.name) == ("Microphone", "Loudspeaker")
    recording.call(100, 0.125)
    assert np.all(playing.call(200) == 0.5)
    assert len(engine.captured[0][0]) == 100
    assert not _card(sound_system, 2, 2, rate=44100).one_clock


def test_callback_flags_report_lost_audio(sound_system: FakeSoundDevice) -> None:
    _, engine, (stream,) = _started(sound_system, 2, 2)
    stream.call(10, input_overflow=True)
    stream.call(10, output_underflow=True)
    assert [lost for _, lost in engine.captured] == [True, False]
    assert engine.starved == [False, True]


def test_device_is_lost_when_its_stream_ends(sound_system: FakeSoundDevice) -> None:
    card, _, (recording, _) = _started(sound_system, 0, 1)
    assert card.lost is None
    recording.end()
    assert card.lost == "Microphone or Loudspeaker is gone"
    card.stop()
    assert card.lost == "the devices are closed"


def test_device_is_lost_when_callbacks_stop(
    sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, _, (recording, playing) = _started(sound_system, 0, 1)
    now = time.perf_counter()
    monkeypatch.setattr(sound_card.time, "perf_counter", lambda: now)
    recording.call()
    playing.call()
    now += 1.9
    assert card.lost is None
    recording.call()
    now += 0.2
    assert card.lost == "Loudspeaker has stopped"


def test_slow_start_is_not_a_loss(
    sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = 100.0
    monkeypatch.setattr(sound_card.time, "perf_counter", lambda: now)
    card, _, _ = _started(sound_system, 0, 1)
    now += 7.9
    assert card.lost is None
    now += 0.2
    assert card.lost == "Microphone has stopped"


@pytest.mark.parametrize("devices", [(2, 2), (0, 1)])
def test_exception_in_a_callback_is_raised(
    sound_system: FakeSoundDevice, devices: tuple[int, int]
) -> None:
    card = _card(sound_system, *devices)

    def broken(*_: Any) -> None:
        raise ZeroDivisionError("a mistake of ours")

    card.start(broken, broken)
    for stream in sound_system.streams:
        played = stream.call()
        assert stream.kind == "input" or not played.any()  # nothing that lay in the buffer
        assert not stream.active
    with pytest.raises(ZeroDivisionError):
        _ = card.lost
    card.stop()


# ---- opening and closing ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("devices", "busy", "said"),
    [
        ((0, 1), 0, "Microphone (recording): the device is not available: busy"),
        ((0, 1), 1, "Loudspeaker (playing): the device is not available: busy"),
        ((2, 2), 2, "Headset (recording and playing): the device is not available: busy"),
    ],
)
def test_busy_device_is_reported(
    sound_system: FakeSoundDevice, devices: tuple[int, int], busy: int, said: str
) -> None:
    sound_system.busy = {busy}
    with pytest.raises(DeviceError) as raised:
        _card(sound_system, *devices)
    problem = raised.value.problems[0]
    assert problem.message.startswith(said)
    assert problem.fix == "close the program that uses it, or choose another: voicegraph devices"
    assert all(stream.closed for stream in sound_system.streams)


def test_device_that_fails_to_start_is_reported(sound_system: FakeSoundDevice) -> None:
    sound_system.broken_start = "input"
    card = _card(sound_system)
    with pytest.raises(DeviceError, match="the sound device cannot be started: "):
        card.start(_Engine().capture, _Engine().play)
    card.stop()
    assert all(stream.closed and not stream.active for stream in sound_system.streams)


def test_stop_twice_closes_once(sound_system: FakeSoundDevice) -> None:
    card, _, streams = _started(sound_system, 0, 1)
    card.stop()
    card.stop()
    assert all(stream.closed and not stream.active for stream in streams)


def test_hanging_close_does_not_block_stop(
    sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound_card, "_CLOSING_S", 0.01)
    card, _, (stream,) = _started(sound_system, 2, 2)
    hangs = threading.Event()
    monkeypatch.setattr(stream, "abort", lambda: hangs.wait(20))
    card.stop()
    assert not stream.closed
    hangs.set()


# ---- coming back --------------------------------------------------------------------------------


def test_reopen_finds_a_device_under_its_new_number(
    sound_system: FakeSoundDevice,
) -> None:
    card, engine, _ = _started(sound_system, 0, 1)
    sound_system.streams[0].end()

    def plugged_in() -> None:
        sound_system.devices.insert(0, sound_system.devices.pop(1))

    sound_system.on_restart = plugged_in
    assert card.reopen()
    assert sound_system.restarts == 1
    recording, playing = sound_system.streams[2:]
    assert (recording.options["device"], playing.options["device"]) == (1, 0)
    assert card.lost is None
    recording.call(50, 0.75)
    assert np.all(engine.captured[-1][0] == 0.75)


def test_reopen_of_a_missing_device_opens_nothing(sound_system: FakeSoundDevice) -> None:
    card, _, _ = _started(sound_system, 0, 1)
    device = sound_system.devices.pop(1)
    assert not card.reopen()
    assert len(sound_system.streams) == 2
    assert card.lost is not None
    sound_system.devices.append(device)
    assert card.reopen()


def test_reopen_retries_a_busy_device(sound_system: FakeSoundDevice) -> None:
    card, _, _ = _started(sound_system, 0, 1)
    sound_system.busy = {1}
    assert not card.reopen()
    sound_system.busy = set()
    sound_system.broken_start = "output"
    assert not card.reopen()
    assert all(stream.closed for stream in sound_system.streams)
    sound_system.broken_start = None
    assert card.reopen()


def test_reopen_prefers_the_same_device_number(
    sound_system: FakeSoundDevice,
) -> None:
    second = sound_system.add("Microphone", inputs=1)
    card, _, _ = _started(sound_system, second, 1)
    assert card.reopen()
    assert sound_system.streams[2].options["device"] == second
    del sound_system.devices[second]
    assert card.reopen()
    assert sound_system.streams[4].options["device"] == 0


def test_end_of_abandoned_streams_is_ignored(
    sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    card, _, (old,) = _started(sound_system, 2, 2)
    assert card.reopen()
    old.options["finished_callback"]()
    assert card.lost is None
