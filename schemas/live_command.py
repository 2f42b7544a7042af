"""Commands of a live session: from the keyboard, over HTTP and WebSocket, or by OSC."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, TypeAdapter

from voicegraph.schemas.recorded_events import MOST_MARK_CHARACTERS


def _require_do(schema: dict[str, Any]) -> None:
    """Only Python may leave `do` out: elsewhere it tells the command."""
    schema["required"] = ["do", *(key for key in schema.get("required", ()) if key != "do")]


class _Command(BaseModel):
    """Base: frozen, unknown keys are errors."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", use_attribute_docstrings=True, json_schema_extra=_require_do
    )


class SetParam(_Command):
    """Sets a live param from the next block on."""

    do: Literal["set"] = "set"
    param: str = Field(examples=["pitch.transpose"])
    """``node.param``."""
    value: Any = Field(examples=[7])
    """The new value, as in a pipeline file."""


class Bypass(_Command):
    """Bypasses a node (its input passes through), or ends the bypass, with a crossfade."""

    do: Literal["bypass"] = "bypass"
    node: str = Field(examples=["limiter"])
    """The node's name."""
    on: StrictBool = True
    """True bypasses the node."""


class Swap(_Command):
    """Hot swap of nodes, voices or settings that are not live; overrides as for ``--set``."""

    do: Literal["swap"] = "swap"
    overrides: dict[str, Any] = Field(min_length=1, examples=[{"nodes.f0.use": "f0.harvest"}])
    """Dotted path -> value."""


class ChooseProfile(_Command):
    """Switches to a profile of the pipeline file, in place of those in force, by a hot swap.

    What the profile sets takes precedence over earlier changes of the same values.
    """

    do: Literal["profile"] = "profile"
    name: str | None = Field(default=None, examples=["deep"])
    """The profile's name; the status lists all as ``profiles``. Null: no profile."""


class ChooseVoice(_Command):
    """Changes to another voice of the library, by a hot swap.

    The voice brings its index, its encoder and the settings of its card.
    """

    do: Literal["voice"] = "voice"
    name: str = Field(min_length=1, max_length=200, examples=["michael"])
    """Its name in the library."""


class ChooseVariant(_Command):
    """Selects one of two variants for the output, at matched loudness."""

    do: Literal["variant"] = "variant"
    name: Literal["a", "b", "other"] = "other"
    """``other``: the variant that is not selected now."""


class Mute(_Command):
    """Mutes or unmutes the output."""

    do: Literal["mute"] = "mute"
    on: StrictBool = True
    """True mutes."""


class Talk(_Command):
    """Presses or releases the talk key of a session with push-to-talk."""

    do: Literal["talk"] = "talk"
    on: StrictBool = True
    """True presses it."""


class Monitor(_Command):
    """Adds the dry input to the output, or removes it."""

    do: Literal["monitor"] = "monitor"
    on: StrictBool = True
    """True adds it."""


class Record(_Command):
    """Begins a take, or ends it: a recording that ``voicegraph replay`` runs again.

    The session names its files, in the folder that it was started with.
    """

    do: Literal["record"] = "record"
    on: StrictBool = True
    """True begins a take."""


class Mark(_Command):
    """Puts a mark into the take that is running."""

    do: Literal["mark"] = "mark"
    text: str = Field(default="", max_length=MOST_MARK_CHARACTERS, examples=["good one"])
    """What `replay` shows at that time; it may be empty."""


class Stop(_Command):
    """Ends the session."""

    do: Literal["stop"] = "stop"


LiveCommand = Annotated[
    SetParam
    | Bypass
    | Swap
    | ChooseProfile
    | ChooseVoice
    | ChooseVariant
    | Mute
    | Talk
    | Monitor
    | Record
    | Mark
    | Stop,
    Field(discriminator="do"),
]
"""Any command; ``do`` names its kind."""

COMMANDS: TypeAdapter[LiveCommand] = TypeAdapter(LiveCommand)
"""Parses a command: ``COMMANDS.validate_python({"do": "mute"})``."""
