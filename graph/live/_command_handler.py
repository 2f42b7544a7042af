"""Carries out the commands of a live session."""

from __future__ import annotations

from collections.abc import Callable
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
from ._gain_switches import dry_session

if TYPE_CHECKING:
    from ..runtime.session import Session
    from ._swap_worker import SwapWorker
    from .engine_loop import EngineLoop
    from .factory import LiveOptions


class CommandHandler:
    """Carries out commands; may be called from any thread.

    Args:
        session: takes new values of params.
        loop: its switches are set.
        swap_worker: swaps nodes and variants.
        options: what the session starts with.
        request_stop: is called for the command ``stop``.

    Attributes:
        variants: the two variants, if ``options`` name a second one; set by ``apply_options``.
    """

    def __init__(
        self,
        session: Session,
        loop: EngineLoop,
        swap_worker: SwapWorker,
        options: LiveOptions,
        request_stop: Callable[[], None],
    ) -> None:
        self.variants: Variants | None = None
        self._session, self._loop, self._swap_worker = session, loop, swap_worker
        self._options, self._request_stop = options, request_stop

    def apply_options(self) -> None:
        """Sets switches, dry signal and variants as the options say.

        Raises:
            VoicegraphError: if the second variant has mistakes, does not fit, or cannot be loaded.
        """
        options, loop = self._options, self._loop
        if options.push_to_talk:
            loop.switches.talk.set_now(0.0)  # without a fade: nobody has pressed the key yet
        if loop.playback.policy == "dry":
            loop.dry = dry_session(self._session.plan)
        if options.monitor:
            self._monitor(True)
        if options.variant is not None:
            self.variants = Variants(
                self._session, self._swap_worker, loop.switches, options.variant
            )
            loop.listeners.append(self.variants.measure)

    def close(self) -> None:
        """Closes the session of the dry signal."""
        if self._loop.dry is not None:
            self._loop.dry.close()

    def execute(self, command: LiveCommand) -> None:
        """Carries out one command.

        Raises:
            VoicegraphError: if it cannot be carried out.
        """
        switches = self._loop.switches
        match command:
            case SetParam(param=param, value=value):
                self._session.set(param, value)
            case Mute(on=on):
                switches.mute.target = 0.0 if on else 1.0
            case Talk(on=on):
                self._talk(on)
            case Monitor(on=on):
                self._monitor(on)
            case Stop():
                self._request_stop()
            case Bypass(node=node, on=on):
                self._swap_worker.change({f"nodes.{node}.enabled": not on})
            case Swap(overrides=overrides):
                self._swap_worker.change(overrides)
            case ChooseVariant(name=name):
                self._choose(name)

    def _talk(self, on: bool) -> None:
        if not self._options.push_to_talk:
            text = "this session has no talk key: all input is processed"
            raise StateError(
                Problem("no-talk-key", text, fix="start the session with --push-to-talk")
            )
        self._loop.switches.talk.target = 1.0 if on else 0.0

    def _monitor(self, on: bool) -> None:
        if on and self._loop.dry is None:
            self._loop.dry = dry_session(self._session.plan)
        self._loop.switches.monitor.target = 1.0 if on else 0.0

    def _choose(self, name: str) -> None:
        if self.variants is None:
            text = "this session has one variant"
            raise StateError(
                Problem("no-variant", text, fix="start the session with --b PATH=VALUE")
            )
        self.variants.choose(name)
