"""Sound devices as the page lists them, and the level of an input before a session runs.

PortAudio lists devices when it starts, and a driver that hangs takes its process along. So both
are asked of programs of their own.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
from contextlib import suppress
from typing import Any, Literal

from pydantic import ValidationError

from voicegraph.graph.errors import DeviceError, Problem
from voicegraph.graph.live.devices.virtual_microphone import why_no_virtual_microphone
from voicegraph.schemas.app import Device, Devices, LevelMessage
from voicegraph.schemas.devices_report import DevicesReport, SoundDevice
from voicegraph.schemas.report import ProblemReport

from ._problems import in_page

Direction = Literal["input", "output"]
PYTHON = (sys.executable, "-P", "-m")
"""Runs a module of this program, whatever is in the working directory."""
_LIST = (*PYTHON, "voicegraph", "devices", "--json")
_METER = (*PYTHON, "voicegraph.graph.live.devices.level_meter")
_LISTS_S = 20.0
_ENDS_S = 2.0


def device_id(device: SoundDevice, others: Iterable[SoundDevice]) -> str:
    """What ``live --input`` takes for a device: host API and name, or its number.

    Names are stable when other devices are plugged in; numbers are not, and only tell devices of
    one name apart.
    """
    names = Counter((other.host_api, other.name) for other in others)
    if names[device.host_api, device.name] > 1:
        return str(device.index)
    return f"{device.host_api}: {device.name}"


def listed(found: Sequence[SoundDevice]) -> Devices:
    """Devices by direction, the default first."""
    return Devices(inputs=_able(found, "input"), outputs=_able(found, "output"))


def _able(found: Sequence[SoundDevice], direction: Direction) -> list[Device]:
    devices = []
    for device in found:
        channels = device.inputs if direction == "input" else device.outputs
        default = device.default_input if direction == "input" else device.default_output
        if channels:
            devices.append(
                Device(
                    id=device_id(device, found),
                    name=device.name,
                    host_api=device.host_api,
                    channels=channels,
                    rate_hz=device.default_rate_hz,
                    default=default,
                )
            )
    return sorted(devices, key=lambda device: not device.default)


class SoundDevices:
    """Lists devices and watches inputs.

    Args:
        list_command: prints a ``DevicesReport``.
        meter_command: prints levels; gets the device as its argument.
        why_no_microphone: tells why no virtual microphone can be made; gets the names of ALSA's
            output devices.
    """

    def __init__(
        self,
        list_command: Sequence[str] = _LIST,
        meter_command: Sequence[str] = _METER,
        why_no_microphone: Callable[[Collection[str]], Problem | None] = why_no_virtual_microphone,
    ) -> None:
        self._list_command, self._meter_command = list_command, meter_command
        self._why_no_microphone = why_no_microphone
        self._listing: asyncio.Task[Devices] | None = None

    async def devices(self) -> Devices:
        """The devices that there are now; those who ask at the same time get one answer."""
        if self._listing is None or self._listing.done():
            self._listing = asyncio.create_task(self._list())
        return await asyncio.shield(self._listing)

    async def _list(self) -> Devices:
        process = await _start(self._list_command)
        try:
            async with asyncio.timeout(_LISTS_S):
                printed, _ = await process.communicate()
        except TimeoutError:
            text = f"the sound system did not list its devices within {_LISTS_S:g} s"
            return _none(Problem("sound-system", text, fix="restart the sound server"))
        finally:
            await _end(process)
        found = _read_list(printed)
        alsa = {each.name for each in found.outputs if each.host_api.casefold() == "alsa"}
        problem = await asyncio.to_thread(self._why_no_microphone, alsa)
        if problem is None:
            return found
        report = in_page(ProblemReport.model_validate(problem.as_dict()))
        return found.model_copy(update={"no_virtual_microphone": [report]})

    async def levels(self, device: str | None) -> AsyncIterator[LevelMessage]:
        """Levels of an input, 20 a second, until the caller stops.

        Args:
            device: its ``id``; None: the system's default.

        Raises:
            DeviceError: if it cannot be opened, or is lost.
        """
        process = await _start([*self._meter_command, *([device] if device else [])])
        try:
            assert process.stdout is not None
            async for line in process.stdout:
                values: dict[str, Any] = json.loads(line)
                if "problems" in values:
                    raise DeviceError(_problem(found) for found in values["problems"])
                yield LevelMessage(**values)
            raise DeviceError(Problem("device-lost", f"the input {device or ''} has stopped"))
        finally:
            await _end(process)


def _read_list(printed: bytes) -> Devices:
    try:
        values = json.loads(printed)
        if "problems" in values:
            return _none(*(_problem(found) for found in values["problems"]))
        found = listed(DevicesReport.model_validate(values).devices)
    except (ValueError, ValidationError) as error:
        return _none(Problem("sound-system", f"the list of devices cannot be read: {error}"))
    if found.inputs and found.outputs:
        return found
    lacking = [
        name for name, there in (("records", found.inputs), ("plays", found.outputs)) if not there
    ]
    text = f"there is no sound device that {' or '.join(lacking)}"
    fix = "plug one in, or start the sound server (PipeWire, PulseAudio), then look again"
    return found.model_copy(
        update={"problems": _none(Problem("no-device", text, fix=fix)).problems}
    )


def _none(*problems: Problem) -> Devices:
    reports = [ProblemReport.model_validate(problem.as_dict()) for problem in problems]
    return Devices(inputs=[], outputs=[], problems=reports)


def _problem(found: dict[str, Any]) -> Problem:
    notes = tuple((str(note), None) for note in found.get("notes", ()))
    return Problem(found["code"], found["message"], None, notes, found.get("fix"))


async def _start(command: Sequence[str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closes its standard input, at which it ends; kills it if it does not."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(_ENDS_S):
            await process.wait()
    except TimeoutError:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
