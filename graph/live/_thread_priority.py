"""Priority of the engine thread: real-time scheduling or niceness.

Windows: the Multimedia Class Scheduler Service (MMCSS), task "Pro Audio". macOS: the quality of
service class "user interactive". Elsewhere: SCHED_FIFO at a low real-time priority, for which the
user needs a limit (RLIMIT_RTPRIO), or niceness (RLIMIT_NICE).

The engine must not preempt the thread that serves the output device: a block takes tens of
milliseconds, and a device that is not served for ten underruns. So SCHED_FIFO is used only if the
thread of the output callbacks has it too, and below its priority. PulseAudio's threads in this
process do not have it.

Only threads of this process are changed. Linux schedules threads by terminal session if "autogroup"
is on (sched(7), "The autogroup feature"): then niceness decides only among the threads of one
session, and all of them together count as one beside another terminal's programs. The niceness of
the session's group belongs to the user, whose other programs run in it: it is not changed, and a
message says what follows.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

_FIFO = 5
"""Above all threads that are not real-time, below sound servers (PipeWire uses 20 and more)."""
_RAISED = -10
"""Niceness of the engine: before ordinary threads, behind PulseAudio (-11)."""
_QOS_CLASS_USER_INTERACTIVE = 0x21
_QOS_CLASS_UTILITY = 0x11
_NICE = 10


def raise_priority(callback_thread: int | None = None) -> tuple[bool, str]:
    """Raises the priority of the calling thread.

    Args:
        callback_thread: native id of the thread that runs the output callbacks, which must not be
            preempted; None if there is none.

    Returns:
        Whether it was raised, and a message about it.
    """
    if sys.platform == "win32":
        return _windows()
    if sys.platform == "darwin":
        return _macos()
    return _posix(callback_thread)


def _posix(callback_thread: int | None) -> tuple[bool, str]:
    if not hasattr(os, "sched_setscheduler"):
        return False, "normal priority: this system has no real-time scheduling"
    if (os.cpu_count() or 1) < 2:
        return False, "normal priority: with one core the sound system could starve"
    level = _FIFO if callback_thread is None else min(_FIFO, _real_time(callback_thread) - 1)
    return _fifo(level) if level > 0 else _nicer()


def _real_time(thread: int) -> int:
    """Real-time priority of a thread of this process; 0 if it has none."""
    try:
        if os.sched_getscheduler(thread) not in (os.SCHED_FIFO, os.SCHED_RR):
            return 0
        return os.sched_getparam(thread).sched_priority
    except OSError:  # it has ended
        return 0


def _nicer() -> tuple[bool, str]:
    why = "the sound system's thread has no real-time priority and must not be preempted"
    if not sys.platform.startswith("linux"):  # elsewhere, niceness belongs to the whole process
        return False, f"normal priority: {why}"
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
    """Gives the calling thread normal priority inside the ``with`` block.

    Threads that are started there do not inherit real-time priority. Sound systems start threads,
    some of which wait by spinning.
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
    """Lowers the priority of the calling thread, if the system has priorities of threads.

    Threads that it starts, such as PyTorch's, inherit that. A refusal is ignored.
    """
    if sys.platform.startswith("linux"):
        with contextlib.suppress(OSError):  # on Linux, niceness belongs to a thread
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _NICE)
    elif sys.platform == "win32":
        kernel = ctypes.WinDLL("kernel32")
        kernel.SetThreadPriority(kernel.GetCurrentThread(), -1)  # below normal
    elif sys.platform == "darwin":
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).pthread_set_qos_class_self_np(_QOS_CLASS_UTILITY, 0)


def autogroup_remark(proc: Path = Path("/proc")) -> str:
    """What the user should know if niceness decides within a terminal session only (Linux).

    Args:
        proc: the ``/proc`` file system.

    Returns:
        A message; empty if this thread is not scheduled by session.
    """
    if not _autogroup_enabled(proc) or not (proc / "self" / "autogroup").exists():
        return ""
    if os.sched_getscheduler(0) in (os.SCHED_FIFO, os.SCHED_RR):  # comes before all groups
        return ""
    return (
        "Linux shares out processors by terminal session (autogroup): a raised priority counts "
        "within this session only, and programs of other sessions can cause overruns (late "
        "blocks); real-time priority or `sysctl kernel.sched_autogroup_enabled=0` avoids that"
    )


def _autogroup_enabled(proc: Path) -> bool:
    try:
        return (proc / "sys/kernel/sched_autogroup_enabled").read_text().strip() == "1"
    except OSError:
        return False
