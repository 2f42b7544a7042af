"""Hot swaps of a live session, prepared on a thread of their own so that no caller waits."""

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
OnSwapped = Callable[[HotSwap], None]
"""Called when the new plan runs, on the thread that prepared it."""


class SwapWorker:
    """Runs one hot swap at a time.

    Args:
        session: the running session.
        say: adds a message to the live session's.
    """

    def __init__(self, session: Session, say: Say) -> None:
        self._session, self._say = session, say
        self._thread: threading.Thread | None = None
        self._lock = threading.Lock()

    @property
    def busy(self) -> bool:
        """Whether a swap is in progress."""
        return self._thread is not None and self._thread.is_alive()

    def change(self, overrides: Mapping[str, Any]) -> None:
        """Starts a swap to the running pipeline with further overrides.

        Failures after the start are reported as messages.

        Raises:
            VoicegraphError: if the changed pipeline has mistakes or does not fit, or another swap
                is in progress.
        """
        wanted = {**self._session.overrides, **overrides}
        name = ", ".join(f"{path}={value}" for path, value in overrides.items())
        with self._lock:
            self._refuse_busy()
            self._start(name, plan_change(self._session, overrides), wanted)

    def swap_to(
        self,
        name: str,
        plan: CompiledPlan,
        overrides: Mapping[str, Any],
        engine: Engine | None,
        on_processed: OnProcessed,
        on_swapped: OnSwapped,
    ) -> None:
        """Starts a swap to a plan.

        Args:
            name: of the change, for messages.
            plan: the plan to run.
            overrides: the complete overrides from which ``plan`` was compiled.
            engine: an engine that has run ``plan`` before; None builds one.
            on_processed: called with every block that the new engine processes before the
                crossfade.
            on_swapped: called when the new plan runs.

        Raises:
            StateError: if another swap is in progress.
        """
        with self._lock:
            self._refuse_busy()
            self._start(
                name,
                plan,
                overrides,
                engine=engine,
                on_processed=on_processed,
                on_swapped=on_swapped,
            )

    def wait(self, seconds: float) -> bool:
        """Waits until no swap is in progress, at most so many seconds; whether that is so."""
        if self._thread is not None:
            self._thread.join(seconds)
        return not self.busy

    def _refuse_busy(self) -> None:
        if self.busy:
            text = "another swap is in progress"
            raise StateError(Problem("busy", text, fix="wait until it is over"))

    def _start(
        self,
        name: str,
        plan: CompiledPlan,
        overrides: Mapping[str, Any],
        *,
        engine: Engine | None = None,
        on_processed: OnProcessed | None = None,
        on_swapped: OnSwapped | None = None,
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
                if on_swapped is not None:
                    on_swapped(swap)
                self._say(f"changed: {name}")
            except VoicegraphError as error:
                self._say(f"not changed ({name}): {error}")
            except Exception as error:  # nobody joins this thread: the message reports it
                self._say(f"not changed ({name}): {type(error).__name__}: {error}")

        self._thread = threading.Thread(target=run, name="voicegraph-swap", daemon=True)
        self._thread.start()

    def _enter(self, swap: HotSwap) -> None:
        block_s = float(swap.plan.block)
        if swap.expected_s > block_s:
            takes, block = 1e3 * swap.expected_s, 1e3 * block_s
            text = f"a block would take {takes:.0f} ms to compute, and lasts {block:.0f} ms"
            raise StateError(Problem("no-headroom", text, fix="start with a larger block"))
        self._session.begin_swap(swap)
        swap.prime()


def power(block: torch.Tensor) -> float:
    """Mean power of a block over all axes."""
    return float(block.square().mean())
