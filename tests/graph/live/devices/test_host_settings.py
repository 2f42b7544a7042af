"""Settings of some host APIs only."""

from __future__ import annotations

from typing import Any

import pytest

from voicegraph.graph.errors import DeviceError
from voicegraph.graph.live.devices.device_list import Direction, find_device
from voicegraph.graph.live.devices.host_settings import host_settings

from ....fake_sounddevice import FakeSoundDevice


def _settings(system: FakeSoundDevice, api: str, direction: Direction = "input", **asked: Any):
    system.apis = [api]
    return host_settings(find_device(2, direction, system), direction, module=system, **asked)


def test_no_request_needs_no_settings(sound_system: FakeSoundDevice) -> None:
    assert _settings(sound_system, "ALSA") is None


def test_settings_of_each_host_api(sound_system: FakeSoundDevice) -> None:
    found = _settings(sound_system, "Windows WASAPI", exclusive=True)
    assert (found.kind, found.values) == ("wasapi", {"exclusive": True})
    found = _settings(sound_system, "ASIO", "output", select=(1, 0))
    assert (found.kind, found.values) == ("asio", {"channel_selectors": [1, 0]})
    found = _settings(sound_system, "Core Audio", select=(0,))
    assert (found.kind, found.values) == ("core audio", {"channel_map": [0]})


@pytest.mark.parametrize(
    ("api", "asked", "message", "fix"),
    [
        ("ALSA", {"exclusive": True}, "Headset belongs to ALSA; exclusive use is WASAPI's",
         'leave out --exclusive, or choose --input "wasapi: ..."'),
        ("MME", {"select": (0,)}, "Headset belongs to MME; ASIO and Core Audio choose channels",
         "leave out --input-select, or choose a device of those: voicegraph devices"),
        ("Windows WASAPI", {"exclusive": True, "select": (0,)},
         "Headset: WASAPI does not choose channels", "leave out --input-select"),
        ("ASIO", {"select": (8,)}, "Headset has 1 channels for input, no channel 9",
         "--input-select with numbers from 1 to 1"),
    ],
)  # fmt: skip
def test_settings_of_other_host_apis_are_refused(
    sound_system: FakeSoundDevice, api: str, asked: dict[str, Any], message: str, fix: str
) -> None:
    with pytest.raises(DeviceError) as raised:
        _settings(sound_system, api, **asked)
    assert raised.value.problems[0].message == message
    assert raised.value.problems[0].fix == fix
