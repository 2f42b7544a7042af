"""Devices as the page lists them, and levels of an input."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Collection, Sequence

import pytest

from voicegraph.app.page_server.services.sound_devices import SoundDevices, device_id, listed
from voicegraph.graph.errors import DeviceError, Problem
from voicegraph.schemas.app import Devices, LevelMessage
from voicegraph.schemas.devices_report import DevicesReport, SoundDevice


def _device(index: int, name: str, inputs: int = 1, outputs: int = 0, **more: bool) -> SoundDevice:
    return SoundDevice(
        index=index, name=name, host_api="ALSA", inputs=inputs, outputs=outputs,
        default_rate_hz=48000, default_input=more.get("default_input", False),
        default_output=more.get("default_output", False), low_latency_ms=5, high_latency_ms=30,
    )  # fmt: skip


def _prints(text: str, code: int = 0) -> list[str]:
    """A program that prints a text."""
    return [sys.executable, "-c", f"import sys; print({text!r}, flush=True); sys.exit({code})"]


def _ask(command: Sequence[str]) -> Devices:
    devices = SoundDevices(list_command=command, why_no_microphone=lambda _: None)
    return asyncio.run(devices.devices())


def test_default_comes_first_and_directions_are_apart() -> None:
    found = listed(
        [_device(0, "a"), _device(1, "b", 2, 2, default_input=True), _device(2, "c", 0, 1)]
    )
    assert [device.name for device in found.inputs] == ["b", "a"]
    assert [device.name for device in found.outputs] == ["b", "c"]
    assert [device.default for device in found.inputs] == [True, False]


def test_devices_of_one_name_are_told_apart_by_number() -> None:
    devices = [_device(0, "usb"), _device(1, "usb"), _device(2, "mic")]
    assert [device_id(device, devices) for device in devices] == ["0", "1", "ALSA: mic"]


def test_list_is_that_of_the_program() -> None:
    report = DevicesReport(devices=[_device(0, "duplex", 1, 1)])
    assert [device.id for device in _ask(_prints(report.model_dump_json())).inputs] == [
        "ALSA: duplex"
    ]


def test_why_there_is_no_virtual_microphone_is_told_in_words_of_the_page() -> None:
    asked: list[list[str]] = []

    def why(names: Collection[str]) -> Problem:
        asked.append(sorted(names))
        text = "--virtual-mic makes a microphone on Linux only"
        return Problem(
            "virtual-mic", text, fix="install VB-Cable, and play to it: --output VB-Cable"
        )

    report = DevicesReport(devices=[_device(0, "pulse", 1, 1), _device(1, "mic")])
    devices = SoundDevices(_prints(report.model_dump_json()), why_no_microphone=why)
    (problem,) = asyncio.run(devices.devices()).no_virtual_microphone
    assert asked == [["pulse"]]
    assert problem.message == "a virtual microphone is made on Linux only"
    assert problem.fix == (
        "install VB-Cable, and choose VB-Cable as the loudspeaker on the tab Talk"
    )


@pytest.mark.parametrize(
    ("command", "code"),
    [
        (_prints('{"devices": []}', 5), "no-device"),
        (_prints('{"problems": [{"code": "no-portaudio", "message": "m"}]}', 5), "no-portaudio"),
        (_prints("Segmentation fault", 139), "sound-system"),
    ],
    ids=["none", "no PortAudio", "crash"],
)
def test_no_devices_say_why(command: Sequence[str], code: str) -> None:
    assert [problem.code for problem in _ask(command).problems] == [code]


def _levels(command: Sequence[str]) -> list[LevelMessage]:
    async def read() -> list[LevelMessage]:
        return [level async for level in SoundDevices(meter_command=command).levels("ALSA: mic")]

    return asyncio.run(read())


def test_input_that_stops_is_an_error() -> None:
    with pytest.raises(DeviceError, match="the input ALSA: mic has stopped"):
        _levels(_prints('{"peak_db": -3, "rms_db": -9}'))


def test_input_that_cannot_be_opened_says_why() -> None:
    with pytest.raises(DeviceError, match="it is busy"):
        _levels(_prints('{"problems": [{"code": "device-busy", "message": "it is busy"}]}', 5))
