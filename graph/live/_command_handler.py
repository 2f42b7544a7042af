"""What can be asked of a live session, done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.schemas.live_command import (
    Bypass,
    ChooseVariant,
    LiveCommand,
    Monitor,
    Mute,
    SetParam,
    Stop,
    Swap,
    Talk,
)

from ..errors import Problem, StateError
from ._ab_variants import Variants
from ._dry_signal import dry_session

if TYPE_CHECKING:
    from .session import Live


class Commands:
    """Carries commands out; any thread may ask.

    Args:
        live: the session that is steered.
    """

    def __init__(self, live: Live) -> None:
        self._live = live

    def prepare(self) -> None:
        """Sets what the session begins with."""
        options, loop = self._live.options, self._live.loop
        if options.push_to_talk:
            loop.switches.talk.begin(0.0)  # at once: nobody has pressed it yet
        if loop.playback.policy == "dry":
            loop.dry = dry_session(self._live.session.plan)
        if options.monitor:
            self._monitor(True)
        if options.variant is not None:
            live, switches = self._live, loop.switches
            live.variants = Variants(live.session, live.exchanger, switches, options.variant)
            loop.listeners.append(live.variants.listen)

    def close(self) -> None:
        """Gives back what commands have opened."""
        if self._live.loop.dry is not None:
            self._live.loop.dry.close()

    def do(self, command: LiveCommand) -> None:
        """Does what is asked.

        Raises:
            VoicegraphError: if that cannot be.
        """
        live = self._live
        switches = live.loop.switches
        match command:
            case SetParam(param=param, value=value):
                live.session.set(param, value)
            case Mute(on=on):
                switches.mute.target = 0.0 if on else 1.0
            case Talk(on=on):
                self._talk(on)
            case Monitor(on=on):
                self._monitor(on)
            case Stop():
                live.request_stop()
            case Bypass(node=node, on=on):
                live.exchanger.change({f"nodes.{node}.enabled": not on})
            case Swap(overrides=overrides):
                live.exchanger.change(overrides)
            case ChooseVariant(name=name):
                self._choose(name)

    def _talk(self, on: bool) -> None:
        if not self._live.options.push_to_talk:
            text = "this session has no talk key: everything that is said goes in"
            raise StateError(Problem("no-talk-key", text, fix="begin it with --push-to-talk"))
        self._live.loop.switches.talk.target = 1.0 if on else 0.0

    def _monitor(self, on: bool) -> None:
        live = self._live
        if on and live.loop.dry is None:
            live.loop.dry = dry_session(live.session.plan)
        live.loop.switches.monitor.target = 1.0 if on else 0.0

    def _choose(self, name: str) -> None:
        variants = self._live.variants
        if variants is None:
            text = "this session has one variant"
            raise StateError(Problem("no-variant", text, fix="begin it with --b PATH=VALUE"))
        variants.choose(name)
