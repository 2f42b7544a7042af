"""Asks the system to run this thread before others, as far as it allows that.

Windows: the Multimedia Class Scheduler Service (MMCSS), task "Pro Audio". macOS: the quality of
service class "user interactive". Elsewhere: SCHED_FIFO at a low real-time priority, for which the
user needs the right (RLIMIT_RTPRIO), or niceness (RLIMIT_NICE).

Whoever computes must not come before whoever carries the sound: blocks take tens of milliseconds,
and a device that is not served for ten runs dry. So SCHED_FIFO is taken only where the thread of
the output's callbacks has it, too, and below that; PulseAudio's threads in this process have not.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator

_FIFO = 5
"""Above everything that is not real time, below sound servers (PipeWire uses 20 and more)."""
_RAISED = -10
"""Niceness: before what is not sound, behind PulseAudio (-11)."""
_QOS_CLASS_USER_INTERACTIVE = 0x21
_QOS_CLASS_UTILITY = 0x11
_NICE = 10


def raise_priority(carrier: int | None = None) -> tuple[bool, str]:
    """Raises that of the calling thread; whether it worked, and what to say about it.

    Args:
        carrier: native number of the thread that runs the output's callbacks; None: there is none
            that could be kept waiting.
    """
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _macos()
    return _posix(carrier)


def _posix(carrier: int | None) -> tuple[bool, str]:
    if not hasattr(os, "sched_setscheduler"):
        return False, "normal priority: this system has no real-time scheduling"
    if (os.cpu_count() or 1) < 2:
        return False, "normal priority: with one core the sound system could starve"
    level = _FIFO if carrier is None else min(_FIFO, _real_time(carrier) - 1)
    return _fifo(level) if level > 0 else _nicer()


def _real_time(thread: int) -> int:
    """Real-time priority of a thread of this process; 0 where it has none."""
    try:
        if os.sched_getscheduler(thread) not in (os.SCHED_FIFO, os.SCHED_RR):
            return 0
        return os.sched_getparam(thread).sched_priority
    except OSError:  # it has ended
        return 0


def _nicer() -> tuple[bool, str]:
    why = "the sound system's thread has no real-time priority, which must not come second"
    try:
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _RAISED)
    except OSError:
        fix = "allow it in /etc/security/limits.d: `@audio - nice -11`"
        return False, f"normal priority: {why}, and a raised one is not allowed ({fix})"
    return True, f"raised priority (nice {_RAISED}): {why}"


def _fifo(level: int) -> tuple[bool, str]:
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(level))
    except PermissionError:
        fix = "allow it in /etc/security/limits.d: `@audio - rtprio 20`"
        return False, f"normal priority: real time is not allowed ({fix})"
    except OSError as error:
        return False, f"normal priority: real time was refused ({error.strerror})"
    return True, f"real-time priority (SCHED_FIFO {level})"


def _windows() -> tuple[bool, str]:
    try:
        task = ctypes.c_ulong(0)
        library = ctypes.WinDLL("avrt")  # pyright: ignore[reportAttributeAccessIssue]
        handle = library.AvSetMmThreadCharacteristicsW("Pro Audio", ctypes.byref(task))
    except OSError:
        return False, "normal priority: this Windows has no MMCSS"
    if not handle:
        return False, "normal priority: MMCSS refused"
    return True, "real-time priority (MMCSS Pro Audio)"


def _macos() -> tuple[bool, str]:
    try:
        library = ctypes.CDLL(None)
        refused = library.pthread_set_qos_class_self_np(_QOS_CLASS_USER_INTERACTIVE, 0)
    except (OSError, AttributeError):
        return False, "normal priority: this macOS has no quality of service classes"
    if refused:
        return False, "normal priority: the quality of service class was refused"
    return True, "raised priority (user interactive)"


@contextlib.contextmanager
def normal_priority() -> Iterator[None]:
    """Within, threads that are started do not inherit the real-time priority of the calling one.

    Sound systems start threads of their own, some of which wait by spinning.
    """
    if not hasattr(os, "sched_getscheduler"):
        yield
        return
    policy, param = os.sched_getscheduler(0), os.sched_getparam(0)
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_OTHER, os.sched_param(0))
    try:
        yield
    finally:
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, policy, param)


def lower_priority() -> None:
    """Lets other threads run before the calling one, where the system knows that of threads.

    What it starts (PyTorch's own threads) inherits that. Refusals do no harm.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # niceness is a thread's own on Linux
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    elif sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        kernel.SetThreadPriority(kernel.GetCurrentThread(), -1)  # below normal
    elif sys.platform == "darwin":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).pthread_set_qos_class_self_np(_QOS_CLASS_UTILITY, 0)
