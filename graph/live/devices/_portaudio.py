"""PortAudio through ``sounddevice``: imported when first used, its errors as ``DeviceError``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...errors import DeviceError, Problem
from ...optional_packages import missing_package

_FIXES = {
    "no-device": "voicegraph devices",
    "busy": "close the program that uses it, or choose another: voicegraph devices",
    "rate": "leave out --input-rate and --output-rate, or choose what the device takes",
    "channels": "leave out --input-channels and --output-channels, or choose what the device has",
    "host": "try another device or host API: voicegraph devices",
}
_CODES = {
    -9999: ("host", "the sound system reports an error of its own"),
    -9998: ("channels", "the device does not have that many channels"),
    -9997: ("rate", "the device does not run at that rate"),
    -9996: ("no-device", "there is no such device"),
    -9993: ("host", "these two devices belong to different sound systems: open them apart"),
    -9988: ("host", "the stream is closed"),
    -9985: ("busy", "the device is not available: busy, unplugged or switched off"),
    -9984: ("host", "the option belongs to another sound system"),
}


def sounddevice() -> Any:
    """The module ``sounddevice``.

    Raises:
        DeviceError: if the package or the PortAudio library is missing.
    """
    try:
        import sounddevice as module
    except ModuleNotFoundError:
        problem = missing_package("live audio", "sounddevice", extra="live", code="no-sounddevice")
        raise DeviceError(problem) from None
    except OSError as error:
        text = f"live audio needs the PortAudio library: {error}"
        fix = "apt install libportaudio2   (or your system's package of that name)"
        fix = (
            fix if sys.platform.startswith("linux") else "pip install --force-reinstall sounddevice"
        )
        raise DeviceError(Problem("no-portaudio", text, fix=fix)) from None
    return module


@contextmanager
def as_device_error(what: str, module: Any = None) -> Iterator[None]:
    """Raises PortAudio's errors inside the ``with`` block as ``DeviceError``.

    Args:
        what: the subject of the message, such as the name of a device.
        module: in place of sounddevice.

    Raises:
        DeviceError: in place of errors of PortAudio and sounddevice.
    """
    found = module or sounddevice()
    try:
        yield
    except found.PortAudioError as error:
        raise DeviceError(explain(what, error.args)) from None
    except ValueError as error:  # raised by sounddevice: no default device, a wrong direction
        raise DeviceError(
            Problem("no-device", f"{what}: {error}", fix=_FIXES["no-device"])
        ) from None


def explain(what: str, arguments: tuple[Any, ...]) -> Problem:
    """The message of a PortAudio error; its arguments are text, code and the host's error."""
    text, code, host = (*arguments, None, None, None)[:3]
    kind, why = _CODES.get(code, ("host", str(text))) if isinstance(code, int) else ("host", text)
    notes: tuple[tuple[str, None], ...] = ()
    said = host[-1] if isinstance(host, tuple) and host else None
    if said:
        notes = ((f"the sound system says: {said}", None),)
    return Problem(f"device-{kind}", f"{what}: {why}", notes=notes, fix=_FIXES[kind])


def rescan(module: Any = None) -> None:
    """Updates the list of devices, which PortAudio makes when it starts. No stream may be open.

    Raises:
        DeviceError: if PortAudio does not start again; another try may succeed.
    """
    found = module or sounddevice()
    with suppress(found.PortAudioError):  # it is not running if the previous start failed
        found._terminate()
    with as_device_error("the sound system", found):
        found._initialize()
