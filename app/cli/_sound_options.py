"""Options of commands that open sound devices, and the overrides of a second variant."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from voicegraph.graph.live.setup import DeviceRequest

_PANEL = "Devices"

InputOption = Annotated[
    str | None,
    typer.Option(
        "--input",
        metavar="DEVICE",
        help="Number, name or part of the name; see `voicegraph devices`. Default: the system's.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
OutputOption = Annotated[
    str | None,
    typer.Option(
        "--output",
        metavar="DEVICE",
        help="The same, for what is played on.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
InputRateOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="HZ",
        help="Rate of the input. Default: the pipeline's, else what the device takes.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
OutputRateOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="HZ",
        help="Rate of the output. Default: the same.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
InputChannelsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Channels of the input. Default: as few as the pipeline takes.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
OutputChannelsOption = Annotated[
    int | None,
    typer.Option(
        min=1,
        metavar="N",
        help="Channels of the output. Default: the pipeline's.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
InputSelectOption = Annotated[
    str | None,
    typer.Option(
        metavar="N,N",
        help="Which channels of the input, counted from 1 (ASIO, Core Audio).",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
OutputSelectOption = Annotated[
    str | None,
    typer.Option(
        metavar="N,N",
        help="Which channels of the output.",
        rich_help_panel=_PANEL,
        show_default=False,
    ),
]
ExclusiveOption = Annotated[
    bool,
    typer.Option(
        "--exclusive",
        help="WASAPI's exclusive mode: less delay, and no other program can use the devices.",
        rich_help_panel=_PANEL,
    ),
]
BuffersOption = Annotated[
    str,
    typer.Option(
        "--buffers",
        metavar="low|high|TIME",
        help="How much the sound system buffers: `high` or a time such as 40ms, where it crackles.",
        rich_help_panel=_PANEL,
    ),
]
MarginOption = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="Reserve against threads that wake up late; part of the delay.",
        rich_help_panel=_PANEL,
    ),
]
RoomOption = Annotated[
    str,
    typer.Option(
        metavar="TIME",
        help="Algorithmic latency to begin with at least, so that nodes which look further ahead "
        "can be swapped in later.",
    ),
]


def seconds(text: str, option: str) -> Fraction:
    """A time as typed.

    Raises:
        BadParameter: if it is none, or negative.
    """
    from voicegraph.schemas.quantities import parse_duration

    try:
        found = parse_duration(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint=option) from None
    if found < 0:
        raise typer.BadParameter(f"{text} lies before now", param_hint=option)
    return found


def buffers(text: str) -> str | float:
    """``low``, ``high``, or seconds."""
    return text if text in ("low", "high") else float(seconds(text, "--buffers"))


def end_wish(
    direction: str,
    device: str | None,
    rate: int | None,
    channels: int | None,
    select: str | None,
    exclusive: bool,
) -> DeviceRequest:
    """What was typed about one end.

    Raises:
        BadParameter: if the channels to use are no numbers from 1 on.
    """
    from voicegraph.graph.live.setup import DeviceRequest

    numbers = [part.strip() for part in (select or "").split(",") if part.strip()]
    if not all(number.isdecimal() and int(number) for number in numbers):
        text = f"{select!r} is no list of channels, such as 1,2"
        raise typer.BadParameter(text, param_hint=f"--{direction}-select")
    chosen = tuple(int(number) - 1 for number in numbers)
    return DeviceRequest(device, rate, channels, chosen, exclusive)


def overrides(texts: list[str] | None) -> dict[str, Any] | None:
    """``PATH=VALUE`` texts as a dict; None where there are none.

    Raises:
        PipelineError: if one is not of that form.
    """
    from voicegraph.graph.loading.overrides import parse_set

    return dict(parse_set(text, "--b ") for text in texts) if texts else None
