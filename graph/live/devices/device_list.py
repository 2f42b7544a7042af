"""Lists sound devices, and finds one by number or name."""

from __future__ import annotations

import difflib
from typing import Any, Literal

from voicegraph.schemas.devices_report import SoundDevice

from ...errors import DeviceError, Problem
from ._portaudio import as_device_error, sounddevice

Direction = Literal["input", "output"]

_DIGITS = 10
"""Text of so many digits is a name and not a number."""
_VERBS = {"input": "records", "output": "plays"}
_NONE = (
    "plug one in or switch the sound server on (PipeWire, PulseAudio), then look with: "
    "voicegraph devices"
)


def list_devices(module: Any = None) -> list[SoundDevice]:
    """All devices, in the order of their numbers.

    Raises:
        DeviceError: if PortAudio is missing or fails.
    """
    module = module or sounddevice()
    with as_device_error("the list of sound devices", module):
        found, apis = module.query_devices(), module.query_hostapis()
        default_in, default_out = _default(module, "input"), _default(module, "output")
    return [
        SoundDevice(
            index=index,
            name=device["name"],
            host_api=apis[device["hostapi"]]["name"],
            inputs=device["max_input_channels"],
            outputs=device["max_output_channels"],
            default_rate_hz=round(device["default_samplerate"]),
            default_input=index == default_in,
            default_output=index == default_out,
            low_latency_ms=1e3 * _latency(device, "low"),
            high_latency_ms=1e3 * _latency(device, "high"),
        )
        for index, device in enumerate(found)
    ]


def find_device(wanted: str | int | None, direction: Direction, module: Any = None) -> SoundDevice:
    """Finds a device.

    Args:
        wanted: its number, its name, or a part of the name, in any case; the host API may stand
            before it (``wasapi: headset``). None: the system's default.
        direction: which it must have.
        module: in place of sounddevice.

    Raises:
        DeviceError: if no device fits, or more than one.
    """
    devices = list_devices(module)
    able = [device for device in devices if _channels(device, direction)]
    if not able:
        text = f"there is no sound device that {_VERBS[direction]}"
        raise DeviceError(Problem("no-device", text, fix=_NONE))
    if wanted is None or wanted == "":
        return _the_default(able, direction)
    text = str(wanted).strip()
    if text.isdecimal() and len(text) < _DIGITS:
        return _numbered(int(text), devices, direction)
    return _named(text, able, direction)


def _the_default(able: list[SoundDevice], direction: Direction) -> SoundDevice:
    for device in able:
        if device.default_input if direction == "input" else device.default_output:
            return device
    text = f"the system has no default device that {_VERBS[direction]}"
    raise DeviceError(Problem("no-default", text, fix=f"--{direction} {able[0].index}"))


def _numbered(number: int, devices: list[SoundDevice], direction: Direction) -> SoundDevice:
    if number >= len(devices):
        text = f"there is no device {number}: they go from 0 to {len(devices) - 1}"
        raise DeviceError(Problem("no-device", text, fix="voicegraph devices"))
    device = devices[number]
    if not _channels(device, direction):
        text = f"device {number} ({device.name}) has no {direction}"
        raise DeviceError(Problem("wrong-direction", text, fix="voicegraph devices"))
    return device


def _named(text: str, able: list[SoundDevice], direction: Direction) -> SoundDevice:
    before, colon, after = text.lower().partition(":")
    among = [d for d in able if colon and before.strip() in d.host_api.lower()]
    for candidates, name in ((able, text.lower()), (among, after.strip())):
        exact = [device for device in candidates if device.name.lower() == name]
        part = [device for device in candidates if name in device.name.lower()]
        found = exact or part
        if len(found) == 1:
            return found[0]
        if found and name:
            raise DeviceError(_ambiguous(text, found, direction))
    raise DeviceError(_unknown(text, able, direction))


def _ambiguous(text: str, found: list[SoundDevice], direction: Direction) -> Problem:
    defaults = [d for d in found if d.default_input or d.default_output]
    best = (defaults or found)[0]
    notes = tuple((f"{d.index}: {d.name} ({d.host_api})", None) for d in found[:12])
    message = f"{text!r} is part of the names of {len(found)} devices that {_VERBS[direction][:-1]}"
    return Problem("ambiguous-device", message, notes=notes, fix=f"--{direction} {best.index}")


def _unknown(text: str, able: list[SoundDevice], direction: Direction) -> Problem:
    names = {device.name.lower(): device for device in able}
    close = difflib.get_close_matches(text.lower(), names, 1, 0.4)
    fix = f'--{direction} "{names[close[0]].name}"' if close else "voicegraph devices"
    known = ", ".join(f"{device.index}: {device.name}" for device in able[:8])
    notes = ((f"there are: {known}", None),)
    message = f"no device that {_VERBS[direction]} has {text!r} in its name"
    return Problem("no-device", message, notes=notes, fix=fix)


def _channels(device: SoundDevice, direction: Direction) -> int:
    return device.inputs if direction == "input" else device.outputs


def _default(module: Any, direction: Direction) -> int:
    """Number of the default device; -1 if there is none."""
    try:
        return int(module.default.device[0 if direction == "input" else 1])
    except (TypeError, ValueError):
        return -1


def _latency(device: dict[str, Any], kind: str) -> float:
    """Latency in seconds: of the output, or of the input if there is no output."""
    side = "output" if device["max_output_channels"] else "input"
    return float(device[f"default_{kind}_{side}_latency"])
