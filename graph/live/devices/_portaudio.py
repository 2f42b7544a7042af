"""PortAudio through ``sounddevice``: loaded when it is needed, and its errors as sentences."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from ...errors import DeviceError, Problem
from ...optional_packages import missing_package

_NEXT = {
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
    """The module.

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
    """Turns PortAudio's errors into messages about ``what``.

    Raises:
        DeviceError: instead of them.
    """
    found = module or sounddevice()
    try:
        yield
    except found.PortAudioError as error:
        raise DeviceError(explain(what, error.args)) from None
    except ValueError as error:  # sounddevice's own: no default device, a wrong direction
        raise DeviceError(
            Problem("no-device", f"{what}: {error}", fix=_NEXT["no-device"])
        ) from None


def explain(what: str, arguments: tuple[Any, ...]) -> Problem:
    """A PortAudio error in words; its arguments are text, code and what the host said."""
    text, code, host = (*arguments, None, None, None)[:3]
    kind, why = _CODES.get(code, ("host", str(text))) if isinstance(code, int) else ("host", text)
    notes: tuple[tuple[str, None], ...] = ()
    said = host[-1] if isinstance(host, tuple) and host else None
    if said:
        notes = ((f"the sound system says: {said}", None),)
    return Problem(f"device-{kind}", f"{what}: {why}", notes=notes, fix=_NEXT[kind])


def rescan(module: Any = None) -> None:
    """Looks for devices anew. No stream may be open: PortAudio's list is made when it starts.

    Raises:
        DeviceError: if PortAudio does not start again; it may the next time.
    """
    found = module or sounddevice()
    with suppress(found.PortAudioError):  # not running, after a start that has failed
        found._terminate()
    with as_device_error("the sound system", found):
        found._initialize()
