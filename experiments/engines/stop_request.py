"""Ctrl-C while an experiment runs: once to end in order, twice to end at once."""

from __future__ import annotations

import _thread
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from .engine import Engine
from .serial import Serial

GRACE_S = 10.0
"""Seconds that running tasks are given."""
_MORE_S = 2.0


class StopRequest:
    """Whether the run is to end.

    Attributes:
        made: the request was made; what runs is finished, nothing new begins.
        interruptible: a task computes in this very process, so that it can only be interrupted.
        expired: it took too long to end after the request, and was interrupted.
    """

    def __init__(self) -> None:
        self.made = self.interruptible = self.expired = False

    def __call__(self) -> bool:
        """Whether it was made."""
        return self.made

    @contextmanager
    def while_computing(self, engine: Engine) -> Iterator[None]:
        """In this block, an engine computes; one in this very process is interrupted if need be.

        The block ends without an error if its task took too long to end after the request.

        Raises:
            KeyboardInterrupt: at the second Ctrl-C.
        """
        self.interruptible = engine.name == Serial.name
        try:
            yield
        except KeyboardInterrupt:
            if not self.expired:
                raise  # the second Ctrl-C
        finally:
            self.interruptible = False


@contextmanager
def stop_by_ctrl_c(told: Callable[[], None]) -> Iterator[StopRequest]:
    """In this block, the first Ctrl-C makes the request, and the second interrupts.

    A task that is ``interruptible`` is interrupted some seconds after the first one.

    Args:
        told: called at the first Ctrl-C.
    """
    request = StopRequest()
    if threading.current_thread() is not threading.main_thread():
        yield request  # only the main thread may set handlers
        return
    before = signal.getsignal(signal.SIGINT)
    if not callable(before):  # ignored: a job in the background of a script
        yield request
        return
    timer = threading.Timer(GRACE_S + _MORE_S, _expire, (request,))
    timer.daemon = True

    def stop(*_: object) -> None:
        if request.made:
            raise KeyboardInterrupt
        request.made = True
        timer.start()
        told()

    signal.signal(signal.SIGINT, stop)
    try:
        yield request
    finally:
        timer.cancel()
        signal.signal(signal.SIGINT, before)


def _expire(request: StopRequest) -> None:
    if not request.interruptible:
        return
    request.expired = True
    main = threading.main_thread().ident
    if hasattr(signal, "pthread_kill") and main is not None:
        signal.pthread_kill(main, signal.SIGINT)  # ends a system call that waits, too
    else:
        _thread.interrupt_main()
