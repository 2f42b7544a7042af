"""PortAudio's errors as ``DeviceError``."""

from __future__ import annotations

import builtins
import sys
from typing import Any

import pytest

from voicegraph.graph.errors import DeviceError
from voicegraph.graph.live.devices._portaudio import as_device_error, explain, rescan, sounddevice

from ....fake_sounddevice import BUSY, FakeSoundDevice


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("Device unavailable", -9985), "device-busy", "busy, unplugged or switched off"),
        (("Invalid sample rate", -9997), "device-rate", "does not run at that rate"),
        (("Invalid number of channels", -9998), "device-channels", "that many channels"),
        (("Invalid device", -9996), "device-no-device", "there is no such device"),
        (("Insufficient memory", -9992), "device-host", "Insufficient memory"),
        (("some text",), "device-host", "some text"),
        ((), "device-host", "None"),
    ],
)
def test_every_error_names_a_fix(arguments: tuple[Any, ...], code: str, said: str) -> None:
    problem = explain("Headset", arguments)
    assert problem.code == code
    assert problem.message.startswith("Headset: ")
    assert said in problem.message
    assert problem.fix


def test_host_error_becomes_a_note() -> None:
    problem = explain("Headset", ("Unanticipated host error", -9999, (8, -2, "device is held")))
    assert problem.notes == (("the sound system says: device is held", None),)


def test_portaudio_errors_become_device_errors(sound_system: FakeSoundDevice) -> None:
    busy = pytest.raises(DeviceError, match="Headset: the device is not available")
    with busy, as_device_error("Headset", sound_system):
        raise sound_system.error(BUSY)
    with (
        pytest.raises(DeviceError, match="Headset: no default"),
        as_device_error("Headset", sound_system),
    ):
        raise ValueError("no default")
    with pytest.raises(KeyError), as_device_error("Headset", sound_system):
        raise KeyError("a mistake of ours stays one")


def test_missing_library_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    real = builtins.__import__

    def imports(name: str, *rest: Any) -> Any:
        if name == "sounddevice":
            raise OSError("PortAudio library not found")
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", imports)
    for platform, fix in (("linux", "apt install libportaudio2"), ("win32", "pip install")):
        monkeypatch.setattr(sys, "platform", platform)
        with pytest.raises(DeviceError) as raised:
            sounddevice()
        problem = raised.value.problems[0]
        assert problem.code == "no-portaudio"
        assert problem.fix is not None
        assert problem.fix.startswith(fix)


def test_failed_rescan_can_be_repeated(
    sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails() -> None:
        raise sound_system.error(BUSY)

    monkeypatch.setattr(sound_system, "_initialize", fails)
    with pytest.raises(DeviceError, match="the sound system: "):
        rescan(sound_system)
    monkeypatch.undo()
    # PortAudio refuses to end where it does not run.
    monkeypatch.setattr(sound_system, "_terminate", fails)
    rescan(sound_system)
    assert sound_system.restarts == 1
