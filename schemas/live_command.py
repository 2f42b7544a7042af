"""What can be asked of a live session, from the keyboard, over HTTP and WebSocket, or by OSC."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter


class _Command(BaseModel):
    """Base: frozen, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)


class SetParam(_Command):
    """Changes a live param from the next block on."""

    do: Literal["set"] = "set"
    param: str = Field(examples=["pitch.transpose"])
    """``node.param``."""
    value: Any = Field(examples=[7])
    """The new value, as a pipeline file would hold it."""


class Bypass(_Command):
    """Switches a node off (its input passes through) or on again, under a crossfade."""

    do: Literal["bypass"] = "bypass"
    node: str = Field(examples=["limiter"])
    """The node's name."""
    on: bool = True
    """True switches it off."""


class Swap(_Command):
    """Exchanges nodes, voices or settings that are not live: overrides as for ``--set``."""

    do: Literal["swap"] = "swap"
    overrides: dict[str, Any] = Field(min_length=1, examples=[{"nodes.f0.use": "f0.harvest"}])
    """Dotted path -> value."""


class ChooseVariant(_Command):
    """Which of two variants is heard, at matched loudness."""

    do: Literal["variant"] = "variant"
    name: Literal["a", "b", "other"] = "other"
    """``other``: the one that is not heard now."""


class Mute(_Command):
    """Sends nothing out, or goes on."""

    do: Literal["mute"] = "mute"
    on: bool = True
    """True mutes."""


class Talk(_Command):
    """The talk key, where the session was begun with push-to-talk."""

    do: Literal["talk"] = "talk"
    on: bool = True
    """True while it is down."""


class Monitor(_Command):
    """Whether the dry input is heard beside the output."""

    do: Literal["monitor"] = "monitor"
    on: bool = True
    """True to hear it."""


class Stop(_Command):
    """Ends the session."""

    do: Literal["stop"] = "stop"


LiveCommand = Annotated[
    SetParam | Bypass | Swap | ChooseVariant | Mute | Talk | Monitor | Stop,
    Field(discriminator="do"),
]
"""Any of them; ``do`` says which."""

COMMANDS: TypeAdapter[LiveCommand] = TypeAdapter(LiveCommand)
"""Reads one: ``COMMANDS.validate_python({"do": "mute"})``."""
