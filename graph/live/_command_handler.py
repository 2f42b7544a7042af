"""Carries out the commands of a live session."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from concurrent.futures import Future
from typing import TYPE_CHECKING, cast

from voicegraph.schemas.live_command import (
    Bypass,
    ChooseProfile,
    ChooseVariant,
    ChooseVoice,
    LiveCommand,
    Mark,
    Monitor,
    Mute,
    Record,
    SetParam,
    Stop,
    Swap,
    Talk,
)

from ..errors import PipelineError, Problem, StateError
from ..loading.library_values import voice_overrides
from ..runtime.hot_swap import plan_change, plan_profile, require_pipeline
from ._ab_variants import Variants
from ._gain_switches import dry_session
from ._swap_worker import PreparedSwap

if TYPE_CHECKING:
    from ..pipeline import Pipeline
    from ..runtime.session import Session
    from ._swap_worker import SwapWorker
    from ._takes import Takes
    from .engine_loop import EngineLoop
    from .factory import LiveOptions


class CommandHandler:
    """Carries out commands; may be called from any thread.

    Args:
        session: takes new values of params.
        loop: its switches are set.
        swap_worker: swaps nodes and variants.
        takes: begins, marks and ends takes.
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
        takes: Takes,
        options: LiveOptions,
        request_stop: Callable[[], None],
    ) -> None:
        self.variants: Variants | None = None
        self._session, self._loop, self._swap_worker = session, loop, swap_worker
        self._takes = takes
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

    def execute(self, command: LiveCommand) -> Future[None] | None:
        """Carries out one command, or begins it.

        A hot swap waits for the one before it.

        Returns:
            None if the command is carried out; for a hot swap, a future that is done when the new
            nodes are heard, and that fails if they are not.

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
            case Record(on=on):
                self._takes.start() if on else self._takes.stop()
            case Mark(text=text):
                self._takes.mark(text)
            case Stop():
                self._request_stop()
            case Bypass(node=node, on=on):
                return self._swap_worker.change({f"nodes.{node}.enabled": not on})
            case Swap(overrides=overrides):
                return self._swap_worker.change(overrides)
            case ChooseProfile(name=name):
                return self._choose_profile(name)
            case ChooseVoice(name=name):
                return self._choose_voice(name)
            case ChooseVariant(name=name):
                return self._choose(name)
        return None

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

    def _choose_profile(self, name: str | None) -> Future[None]:
        def prepare() -> PreparedSwap | None:
            base = self._session.base
            names = () if name is None else (name,)
            if base is not None:
                _require_profiles(names, base.profiles)
            plan = plan_profile(self._session, *names)
            return PreparedSwap(plan, {}, plan.origin)

        return self._swap_worker.begin("no profile" if name is None else f"profile {name}", prepare)

    def _choose_voice(self, name: str) -> Future[None]:
        def prepare() -> PreparedSwap:
            # When the turn has come: an earlier change may have brought another pipeline.
            session = self._session
            pipeline = cast("Pipeline", require_pipeline(session.plan.origin))
            document = pipeline.loaded.document
            assert document is not None  # every pipeline of a plan has one
            overrides = voice_overrides(document, name)
            wanted = {**session.overrides, **overrides}
            return PreparedSwap(plan_change(session, overrides), wanted)

        return self._swap_worker.begin(f"voice {name}", prepare)

    def _choose(self, name: str) -> Future[None]:
        if self.variants is None:
            text = "this session has one variant"
            raise StateError(
                Problem("no-variant", text, fix="start the session with --b PATH=VALUE")
            )
        return self.variants.choose(name)


def _require_profiles(names: tuple[str, ...], known: tuple[str, ...]) -> None:
    for name in names:
        if name not in known:
            close = difflib.get_close_matches(name, known, 1, 0.4)
            listed = ", ".join(known)
            text = f"the pipeline has no profile {name!r}; " + (
                f"its profiles: {listed}" if known else "it has none"
            )
            fix = close[0] if close else None
            raise PipelineError(Problem("unknown-profile", text, fix=fix))
