"""Settings of some host APIs only: exclusive mode, and selection of channels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from voicegraph.schemas.devices_report import SoundDevice

from ...errors import DeviceError, Problem
from ._portaudio import sounddevice
from .device_list import Direction


def host_settings(
    device: SoundDevice,
    direction: Direction,
    *,
    exclusive: bool = False,
    select: Sequence[int] = (),
    module: Any = None,
) -> Any:
    """The settings of a device's host API, for sounddevice; None where none are needed.

    Args:
        device: as the system lists it.
        direction: in which it is opened.
        exclusive: WASAPI's exclusive mode: lower latency, and no other program can use the device.
        select: channels to use, counted from 0 (ASIO, Core Audio); empty: the first ones.
        module: in place of sounddevice.

    Raises:
        DeviceError: if the host API does not have the setting.
    """
    if not exclusive and not select:
        return None
    module = module or sounddevice()
    api = device.host_api.lower()
    if exclusive and "wasapi" not in api:
        text = f"{device.name} belongs to {device.host_api}; exclusive use is WASAPI's"
        fix = f'leave out --exclusive, or choose --{direction} "wasapi: ..."'
        raise DeviceError(Problem("not-wasapi", text, fix=fix))
    if exclusive and select:
        text = f"{device.name}: WASAPI does not choose channels"
        raise DeviceError(Problem("no-channel-choice", text, fix=f"leave out --{direction}-select"))
    if exclusive:
        return module.WasapiSettings(exclusive=True)
    most = device.inputs if direction == "input" else device.outputs
    if max(select) >= most:
        text = f"{device.name} has {most} channels for {direction}, no channel {max(select) + 1}"
        fix = f"--{direction}-select with numbers from 1 to {most}"
        raise DeviceError(Problem("device-channels", text, fix=fix))
    if "asio" in api:
        return module.AsioSettings(channel_selectors=list(select))
    if "core audio" in api:
        return module.CoreAudioSettings(channel_map=list(select))
    text = f"{device.name} belongs to {device.host_api}; ASIO and Core Audio choose channels"
    fix = f"leave out --{direction}-select, or choose a device of those: voicegraph devices"
    raise DeviceError(Problem("no-channel-choice", text, fix=fix))
