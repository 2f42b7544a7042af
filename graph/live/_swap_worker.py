"""Exchanges nodes of a live session on a thread of its own, so that nobody waits for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import torch

from ..errors import Problem, StateError, VoicegraphError
from ..runtime.hot_swap import HotSwap, OnProcessed, plan_change
from ._thread_priority import lower_priority

if TYPE_CHECKING:
    from ..plan import CompiledPlan
    from ..runtime.engine import Engine
    from ..runtime.session import Session

Say = Callable[[str], None]
Done = Callable[[HotSwap], None]
"""Called when an exchange was adopted, on the thread that prepared it."""


class SwapWorker:
    """One exchange at a time.

    Args:
        session: the one that runs.
        say: leaves a message.
    """

    def __init__(self, session: Session, say: Say) -> None:
        self._session, self._say = session, say
        self._thread: threading.Thread | None = None
        self._asking = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether one is under way."""
        return self._thread is not None and self._thread.is_alive()

    def change(self, overrides: Mapping[str, Any]) -> None:
        """Adds overrides to what runs.

        Raises:
            VoicegraphError: if the changed pipeline has mistakes or does not fit. What fails
                later is said.
        """
        wanted = {**self._session.overrides, **overrides}
        name = ", ".join(f"{path}={value}" for path, value in overrides.items())
        with self._asking:
            self._refuse_busy()
            self._begin(name, plan_change(self._session, overrides), wanted)

    def choose(
        self,
        name: str,
        plan: CompiledPlan,
        overrides: Mapping[str, Any],
        engine: Engine | None,
        on_processed: OnProcessed,
        done: Done,
    ) -> None:
        """Goes over to a plan, perhaps on an engine that has run it before.

        Raises:
            StateError: if another exchange is under way.
        """
        with self._asking:
            self._refuse_busy()
            self._begin(name, plan, overrides, engine=engine, on_processed=on_processed, done=done)

    def wait(self, seconds: float) -> bool:
        """Waits until none is under way; False if that takes longer."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.busy

    def _refuse_busy(self) -> None:
        if self.busy:
            text = "another exchange is under way"
            raise StateError(Problem("busy", text, fix="wait until it is over"))

    def _begin(
        self,
        name: str,
        plan: CompiledPlan,
        overrides: Mapping[str, Any],
        *,
        engine: Engine | None = None,
        on_processed: OnProcessed | None = None,
        done: Done | None = None,
    ) -> None:
        def run() -> None:
            lower_priority()
            try:
                swap = HotSwap(
                    self._session,
                    plan,
                    overrides,
                    alone=True,
                    engine=engine,
                    on_processed=on_processed,
                )
                self._enter(swap)
                if done is not None:
                    done(swap)
                self._say(f"changed: {name}")
            except VoicegraphError as error:
                self._say(f"not changed ({name}): {error}")
            except Exception as error:  # the thread's end is nobody's concern, the message is
                self._say(f"not changed ({name}): {type(error).__name__}: {error}")

        self._thread = threading.Thread(target=run, name="voicegraph-exchange", daemon=True)
        self._thread.start()

    def _enter(self, swap: HotSwap) -> None:
        block_s = float(swap.plan.block)
        if swap.expected_s > block_s:
            takes, block = 1e3 * swap.expected_s, 1e3 * block_s
            text = f"a block would take {takes:.0f} ms, and there are {block:.0f}"
            raise StateError(Problem("no-headroom", text, fix="begin with a larger block"))
        self._session.begin_swap(swap)
        swap.prime()


def power(block: torch.Tensor) -> float:
    """Mean power of a block, all axes."""
    return float(block.square().mean())
