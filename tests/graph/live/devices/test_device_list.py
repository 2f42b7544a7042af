"""Listing devices, finding one, and the errors."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from voicegraph.graph.errors import DeviceError
from voicegraph.graph.live.devices.device_list import Direction, find_device, list_devices

from ....fake_sounddevice import FakeSoundDevice


def _said(wanted: Any, direction: Direction, system: Any) -> tuple[str, str, str | None]:
    with pytest.raises(DeviceError) as raised:
        find_device(wanted, direction, system)
    problem = raised.value.problems[0]
    assert raised.value.exit_code == 5
    return problem.code, problem.message, problem.fix


def test_devices_are_listed_with_all_fields(sound_system: FakeSoundDevice) -> None:
    found = list_devices(sound_system)
    assert [(d.index, d.name, d.host_api, d.inputs, d.outputs) for d in found] == [
        (0, "Microphone", "ALSA", 1, 0),
        (1, "Loudspeaker", "ALSA", 0, 2),
        (2, "Headset", "ALSA", 1, 2),
    ]
    assert [d.default_input for d in found] == [True, False, False]
    assert [d.default_output for d in found] == [False, True, False]
    assert (found[0].low_latency_ms, found[0].high_latency_ms) == (10, 100)


@pytest.mark.parametrize(
    ("wanted", "direction", "index"),
    [
        (None, "input", 0),
        ("", "output", 1),
        ("2", "output", 2),
        (2, "input", 2),
        (" Headset ", "input", 2),
        ("headset", "output", 2),
        ("LOUD", "output", 1),
        ("alsa: micro", "input", 0),
    ],
)
def test_device_is_found_by_number_or_name(
    sound_system: FakeSoundDevice, wanted: Any, direction: Direction, index: int
) -> None:
    assert find_device(wanted, direction, sound_system).index == index


def test_whole_name_wins_over_a_part(sound_system: FakeSoundDevice) -> None:
    sound_system.add("Headset Pro", inputs=1)
    assert find_device("headset", "input", sound_system).index == 2


def test_colon_may_be_part_of_a_name(sound_system: FakeSoundDevice) -> None:
    index = sound_system.add("HDA Intel: ALC257 (hw:0,0)", inputs=2)
    assert find_device("intel: alc", "input", sound_system).index == index
    assert find_device("hw:0", "input", sound_system).index == index


def test_host_api_tells_equal_names_apart(sound_system: FakeSoundDevice) -> None:
    sound_system.apis += ["Windows WASAPI", "MME"]
    sound_system.add("USB", outputs=2, api=2)
    index = sound_system.add("USB", outputs=2, api=1)
    assert find_device("wasapi: usb", "output", sound_system).index == index
    code, message, fix = _said("usb", "output", sound_system)
    assert code == "ambiguous-device"
    assert message == "'usb' is part of the names of 2 devices that play"
    assert fix == "--output 3"


def test_ambiguous_name_lists_devices_and_default(
    sound_system: FakeSoundDevice,
) -> None:
    sound_system.add("Microphone array", inputs=4)
    with pytest.raises(DeviceError) as raised:
        find_device("ophon", "input", sound_system)
    problem = raised.value.problems[0]
    assert [text for text, _ in problem.notes] == [
        "0: Microphone (ALSA)",
        "3: Microphone array (ALSA)",
    ]
    assert problem.fix == "--input 0"


@pytest.mark.parametrize(
    ("wanted", "direction", "code", "message", "fix"),
    [
        ("9", "input", "no-device", "there is no device 9: they go from 0 to 2",
         "voicegraph devices"),
        ("1", "input", "wrong-direction", "device 1 (Loudspeaker) has no input",
         "voicegraph devices"),
        ("microfone", "input", "no-device", "no device that records has 'microfone' in its name",
         '--input "Microphone"'),
        ("zzz", "output", "no-device", "no device that plays has 'zzz' in its name",
         "voicegraph devices"),
        ("loudspeaker", "input", "no-device",
         "no device that records has 'loudspeaker' in its name", "voicegraph devices"),
        ("-1", "input", "no-device", "no device that records has '-1' in its name",
         "voicegraph devices"),
        ("²", "input", "no-device", "no device that records has '²' in its name",
         "voicegraph devices"),
        ("9" * 5000, "input", "no-device", None, "voicegraph devices"),
        ("wasapi: headset", "input", "no-device", None, None),
    ],
)  # fmt: skip
def test_unknown_name_gets_the_closest_proposal(
    sound_system: FakeSoundDevice,
    wanted: str,
    direction: Direction,
    code: str,
    message: str | None,
    fix: str | None,
) -> None:
    found = _said(wanted, direction, sound_system)
    assert found[0] == code
    assert message is None or found[1] == message
    assert fix is None or found[2] == fix


def test_no_device_at_all_is_reported() -> None:
    code, message, fix = _said(None, "input", FakeSoundDevice())
    assert (code, message) == ("no-device", "there is no sound device that records")
    assert fix is not None
    assert "voicegraph devices" in fix
    assert "PulseAudio" in fix


def test_devices_of_the_other_direction_are_ignored() -> None:
    system = FakeSoundDevice()
    system.add("Loudspeaker", outputs=2)
    assert _said("loudspeaker", "input", system)[1] == "there is no sound device that records"


@pytest.mark.parametrize("default", [[-1, -1], None])
def test_missing_default_device_is_reported(sound_system: FakeSoundDevice, default: Any) -> None:
    sound_system.default.device = default
    code, message, fix = _said(None, "output", sound_system)
    assert (code, fix) == ("no-default", "--output 1")
    assert message == "the system has no default device that plays"


def test_failing_sound_system_is_reported(
    sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise sound_system.PortAudioError("Unanticipated host error", -9999, (1, 2, "no server"))

    monkeypatch.setattr(sound_system, "query_devices", fails)
    with pytest.raises(DeviceError) as raised:
        list_devices(sound_system)
    problem = raised.value.problems[0]
    assert problem.code == "device-host"
    assert problem.message.startswith("the list of sound devices: ")
    assert problem.notes == (("the sound system says: no server", None),)


def test_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(DeviceError) as raised:
        list_devices()
    assert raised.value.problems[0].code == "no-sounddevice"
    assert '-m pip install "voicegraph[live]"' in (raised.value.problems[0].fix or "")
