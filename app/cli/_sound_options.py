"""Options of commands that open sound devices, and the parsing of their values."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ._options import flag, option
from ._run_options import channel_numbers

if TYPE_CHECKING:
    from voicegraph.graph.live.setup import DeviceRequest

_PANEL = "Devices"
_DEVICE = "Number, name or part of the name; see `voicegraph devices`. Default: the system's."
_RATE_IN = "Sample rate of the input. Default: the pipeline's, or one that the device supports."
_CHANNELS_IN = "Channels of the input. Default: as few as the pipeline takes."
_CHANNELS_OUT = "Channels of the output. Default: the pipeline's."
_SELECT_IN = "Which channels of the input, counted from 1 (ASIO, Core Audio)."
_EXCLUSIVE = "WASAPI's exclusive mode: lower latency; no other program can use the devices."
_BUFFERS = "Buffering of the sound system: `high`, or a time such as 40ms, if it crackles."
_MARGIN = "Reserve against threads that wake up late; adds to the latency."
_DELAY = (
    "Delay from the microphone to the loudspeaker, kept constant, such as 300ms: the number to "
    "type into OBS. Default: as short as possible."
)
_ROOM = "Minimum algorithmic latency, so that nodes with more look-ahead can be swapped in later."

InputOption = Annotated[str | None, option("DEVICE", _DEVICE, "--input", panel=_PANEL)]
OutputOption = Annotated[
    str | None, option("DEVICE", "The same, for playback.", "--output", panel=_PANEL)
]
InputRateOption = Annotated[int | None, option("HZ", _RATE_IN, least=1, panel=_PANEL)]
OutputRateOption = Annotated[
    int | None,
    option("HZ", "Sample rate of the output. Default: likewise.", least=1, panel=_PANEL),
]
InputChannelsOption = Annotated[int | None, option("N", _CHANNELS_IN, least=1, panel=_PANEL)]
OutputChannelsOption = Annotated[int | None, option("N", _CHANNELS_OUT, least=1, panel=_PANEL)]
InputSelectOption = Annotated[str | None, option("N,N", _SELECT_IN, panel=_PANEL)]
OutputSelectOption = Annotated[
    str | None, option("N,N", "Which channels of the output.", panel=_PANEL)
]
ExclusiveOption = Annotated[bool, flag("--exclusive", _EXCLUSIVE, _PANEL)]
BuffersOption = Annotated[str, option("low|high|TIME", _BUFFERS, "--buffers", panel=_PANEL)]
MarginOption = Annotated[str, option("TIME", _MARGIN, panel=_PANEL)]
DelayOption = Annotated[str | None, option("TIME", _DELAY, "--delay")]
RoomOption = Annotated[str, option("TIME", _ROOM)]


def seconds(text: str, option: str) -> Fraction:
    """Parses a time in seconds.

    Raises:
        BadParameter: if it is not a time, or is negative.
    """
    from voicegraph.schemas.quantities import parse_duration

    try:
        found = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    if found < 0:
        raise typer.BadParameter(f"{text} is negative", param_hint=option)
    return found


def delay_seconds(text: str | None) -> float | None:
    """The value of ``--delay`` in seconds; None without one.

    Raises:
        BadParameter: if it is not a time, negative, or longer than ten seconds.
    """
    if text is None:
        return None
    from voicegraph.graph.live.factory import LONGEST_DELAY_S

    found = float(seconds(text, "--delay"))
    if found > LONGEST_DELAY_S:
        text = f"{text} is longer than {LONGEST_DELAY_S:g} s"
        raise typer.BadParameter(text, param_hint="--delay")
    return found


def buffers(text: str) -> str | float:
    """``low``, ``high``, or seconds."""
    return text if text in ("low", "high") else float(seconds(text, "--buffers"))


def device_request(
    direction: str,
    device: str | None,
    rate: int | None,
    channels: int | None,
    select: str | None,
    exclusive: bool,
) -> DeviceRequest:
    """The requested device of one direction.

    Raises:
        BadParameter: if the channels are not numbers from 1 on.
    """
    from voicegraph.graph.live.setup import DeviceRequest

    chosen = channel_numbers(select, f"--{direction}-select")
    return DeviceRequest(device, rate, channels, chosen, exclusive)


def overrides(texts: list[str] | None) -> dict[str, Any] | None:
    """``PATH=VALUE`` texts as a dict; None if there are none.

    Raises:
        PipelineError: if one is not of that form.
    """
    from voicegraph.graph.loading.overrides import parse_set

    return dict(parse_set(text, "--b ") for text in texts) if texts else None
