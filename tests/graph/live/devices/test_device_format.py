"""Choice of rate and channels: those of the pipeline first, then those of the device."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicegraph.graph.errors import DeviceError, Problem
from voicegraph.graph.live.devices.device_format import FormatRequest, choose_format
from voicegraph.graph.live.devices.device_list import Direction, find_device
from voicegraph.graph.signals import Audio

from ....fake_sounddevice import FakeSoundDevice

BLOCK = Fraction(20, 1000)


def _chosen(
    system: FakeSoundDevice,
    device: int,
    direction: Direction,
    preferred: tuple[Any, int],
    block: Fraction = BLOCK,
    **wish: Any,
) -> tuple[int, int]:
    kind = Audio(Fraction(preferred[0]), preferred[1])
    found = find_device(device, direction, system)
    made = choose_format(found, direction, kind, block, FormatRequest(**wish), system)
    return int(made.rate), made.channels


def _refused(*arguments: Any, **options: Any) -> Problem:
    with pytest.raises(DeviceError) as raised:
        _chosen(*arguments, **options)
    return raised.value.problems[0]


def test_format_of_the_pipeline_comes_first(sound_system: FakeSoundDevice) -> None:
    assert _chosen(sound_system, 0, "input", (16000, 1)) == (16000, 1)
    assert _chosen(sound_system, 1, "output", (40000, 2)) == (40000, 2)


def test_device_rate_then_usual_rates_follow(sound_system: FakeSoundDevice) -> None:
    sound_system.devices[0]["default_samplerate"] = 44100.0
    sound_system.rates[0] = {44100, 96000}
    assert _chosen(sound_system, 0, "input", (16000, 1)) == (44100, 1)
    sound_system.rates[0] = {96000}
    assert _chosen(sound_system, 0, "input", (16000, 1)) == (96000, 1)


def test_fewest_sufficient_channels_come_first(
    sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    stereo_only = sound_system.add("Interface", inputs=8, outputs=8)
    check = sound_system._check

    def checked(side: str, **options: Any) -> None:
        if options["device"] == stereo_only and options["channels"] not in (2, 8):
            raise sound_system.error(-9998)
        check(side, **options)

    monkeypatch.setattr(sound_system, "_check", checked)
    assert _chosen(sound_system, stereo_only, "input", (48000, 1)) == (48000, 2)
    assert _chosen(sound_system, stereo_only, "output", (48000, 6)) == (48000, 2)
    assert _chosen(sound_system, 0, "input", (48000, 2)) == (48000, 1)


def test_rate_without_whole_blocks_is_skipped(sound_system: FakeSoundDevice) -> None:
    sound_system.rates[0] = {22050, 32000}
    sound_system.devices[0]["default_samplerate"] = 22050.0
    # 20 ms at 22050 Hz are 441 samples, 5 ms are not whole.
    assert _chosen(sound_system, 0, "input", (48000, 1)) == (22050, 1)
    assert _chosen(sound_system, 0, "input", (48000, 1), Fraction(5, 1000)) == (32000, 1)


def test_fractional_pipeline_rate_is_skipped(
    sound_system: FakeSoundDevice,
) -> None:
    assert _chosen(sound_system, 0, "input", (Fraction(44100, 4001), 1)) == (48000, 1)


def test_requested_format_is_used_or_refused(sound_system: FakeSoundDevice) -> None:
    sound_system.rates[0] = {48000, 44100}
    assert _chosen(sound_system, 0, "input", (48000, 1), rate=44100) == (44100, 1)
    problem = _refused(sound_system, 0, "input", (48000, 1), rate=96000)
    assert problem.code == "device-format"
    assert problem.message == "Microphone does not take 96000 Hz for input, or is busy"
    assert problem.fix == "leave out --input-rate"
    problem = _refused(sound_system, 0, "input", (48000, 1), rate=96000, channels=1)
    assert "96000 Hz and 1 channels" in problem.message
    assert problem.fix == "leave out --input-rate and --input-channels"


def test_too_many_channels_are_refused(sound_system: FakeSoundDevice) -> None:
    problem = _refused(sound_system, 1, "output", (48000, 1), channels=6)
    assert problem.message == "Loudspeaker has 2 channels for output, not 6"
    assert problem.fix == "--output-channels 2"


def test_requested_rate_needs_whole_blocks(sound_system: FakeSoundDevice) -> None:
    problem = _refused(sound_system, 0, "input", (48000, 1), Fraction(7, 1000), rate=22050)
    assert problem.code == "device-rate"
    assert "22050 Hz has no whole number of samples in a block of 7ms" in problem.message
    assert problem.notes[0][0] == "block sizes that work: 20 ms, 40 ms, 100 ms, 200 ms, 500 ms"
    assert problem.fix == "--set block=20ms"


def test_device_without_any_format_is_busy(sound_system: FakeSoundDevice) -> None:
    sound_system.busy = {0}
    problem = _refused(sound_system, 0, "input", (48000, 1))
    assert problem.code == "device-busy"
    assert problem.message.startswith("Microphone takes no input now: busy, or gone (tried 48000,")
    assert problem.fix == "close the program that uses it, or choose another: voicegraph devices"


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rates=st.sets(st.sampled_from([8000, 11025, 16000, 22050, 44100, 48000, 96000])),
    preferred=st.sampled_from([16000, 40000, 44100, 48000]),
    block_ms=st.integers(5, 100),
)
def test_chosen_format_can_be_opened(
    sound_system: FakeSoundDevice, rates: set[int], preferred: int, block_ms: int
) -> None:
    sound_system.rates[0] = rates
    block = Fraction(block_ms, 1000)
    known = {48000, 44100, 96000, 22050, 16000, 8000, preferred}
    fitting = {rate for rate in rates & known if (rate * block).denominator == 1}
    if fitting:
        rate, channels = _chosen(sound_system, 0, "input", (preferred, 1), block)
        assert rate in fitting
        assert channels == 1
        assert rate == preferred or preferred not in fitting
    else:
        problem = _refused(sound_system, 0, "input", (preferred, 1), block)
        assert problem.code in ("device-busy", "device-rate")
