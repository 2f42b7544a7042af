"""Chooses the rate and the channels with which a device is opened.

The format of the pipeline comes first. If the device lacks that format, one that it has is chosen,
and nodes at the ends of the pipeline convert; they show in the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from voicegraph.schemas.devices_report import SoundDevice
from voicegraph.schemas.quantities import format_duration

from ...errors import DeviceError, Problem
from ...signals import Audio
from ._portaudio import sounddevice
from .device_list import Direction

_USUAL = (48000, 44100, 96000, 88200, 32000, 24000, 22050, 16000, 192000, 8000)
_SIZES_MS = (10, 20, 40, 50, 100, 200, 250, 500)


@dataclass(frozen=True, slots=True)
class FormatRequest:
    """The format that a user asks of one device.

    Attributes:
        rate: in Hz; None: the best that the device has.
        channels: number of channels; None: the best that the device has.
        settings: of the host API, for sounddevice.
    """

    rate: int | None = None
    channels: int | None = None
    settings: Any = None


def choose_format(
    device: SoundDevice,
    direction: Direction,
    preferred: Audio,
    block: Fraction,
    wish: FormatRequest | None = None,
    module: Any = None,
) -> Audio:
    """The best format that the device takes.

    Args:
        device: as the system lists it.
        direction: ``input`` or ``output``.
        preferred: the format of the pipeline.
        block: seconds of a block, which must be a whole number of samples.
        wish: what the user asks for.
        module: in place of sounddevice.

    Raises:
        DeviceError: if it takes none, or not the one that the user asks for.
    """
    wish = wish or FormatRequest()
    module = module or sounddevice()
    most = device.inputs if direction == "input" else device.outputs
    if wish.channels is not None and wish.channels > most:
        text = f"{device.name} has {most} channels for {direction}, not {wish.channels}"
        fix = f"--{direction}-channels {most}"
        raise DeviceError(Problem("device-channels", text, fix=fix))
    rates = list(_rates(device, preferred, wish))
    whole = [rate for rate in rates if (rate * block).denominator == 1]
    if not whole:
        raise DeviceError(_no_whole_block(device, rates[0], block))
    for rate in whole:
        for channels in _channels(preferred.channels, most, wish):
            if _takes(module, device.index, direction, rate, channels, wish.settings):
                return Audio(Fraction(rate), channels)
    raise DeviceError(_takes_none(device, direction, whole, wish))


def _rates(device: SoundDevice, preferred: Audio, wish: FormatRequest) -> Iterator[int]:
    if wish.rate is not None:
        yield wish.rate
        return
    own = [int(preferred.rate)] if preferred.rate.denominator == 1 else []
    yield from dict.fromkeys([*own, device.default_rate_hz, *_USUAL])


def _channels(preferred: int, most: int, wish: FormatRequest) -> Iterable[int]:
    if wish.channels is not None:
        return (wish.channels,)
    usual = (preferred, 2, 1, most) if preferred > 1 else (1, 2, most)
    return dict.fromkeys(min(count, most) for count in usual)


def _takes(
    module: Any, index: int, direction: Direction, rate: int, channels: int, settings: Any
) -> bool:
    check = getattr(module, f"check_{direction}_settings")
    try:
        check(
            device=index,
            channels=channels,
            dtype="float32",
            samplerate=rate,
            extra_settings=settings,
        )
    except (module.PortAudioError, ValueError):
        return False
    return True


def _no_whole_block(device: SoundDevice, rate: int, block: Fraction) -> Problem:
    fitting = [ms for ms in _SIZES_MS if (Fraction(ms, 1000) * rate).denominator == 1]
    text = (
        f"{device.name} at {rate} Hz has no whole number of samples in a block of "
        f"{format_duration(block)}"
    )
    notes = ((f"block sizes that work: {', '.join(f'{ms} ms' for ms in fitting)}", None),)
    near = min(fitting, key=lambda ms: abs(ms - 1000 * float(block)), default=10)
    return Problem("device-rate", text, notes=notes, fix=f"--set block={near}ms")


def _takes_none(
    device: SoundDevice, direction: Direction, rates: list[int], wish: FormatRequest
) -> Problem:
    if wish.rate or wish.channels:
        asked = " and ".join(
            text
            for text in (
                f"{wish.rate} Hz" if wish.rate else "",
                f"{wish.channels} channels" if wish.channels else "",
            )
            if text
        )
        text = f"{device.name} does not take {asked} for {direction}, or is busy"
        flags = [f"--{direction}-rate"] * bool(wish.rate)
        flags += [f"--{direction}-channels"] * bool(wish.channels)
        return Problem("device-format", text, fix=f"leave out {' and '.join(flags)}")
    tried = ", ".join(f"{rate}" for rate in rates)
    text = f"{device.name} takes no {direction} now: busy, or gone (tried {tried} Hz)"
    fix = "close the program that uses it, or choose another: voicegraph devices"
    return Problem("device-busy", text, fix=fix)
