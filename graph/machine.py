"""Facts about this machine that reports of measurements include."""

from __future__ import annotations

import ctypes
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

_FIRST_LINE = re.compile(r"^(?:model name|Hardware|Model)\s*:\s*(.+)$", re.MULTILINE)


def cpu_model() -> str:
    """The vendor's name of the processor, or the architecture if it is unknown."""
    if sys.platform == "linux":
        found = _FIRST_LINE.search(_text(Path("/proc/cpuinfo")))
        name = found[1].strip() if found else ""
    elif sys.platform == "darwin":
        name = _output("sysctl", "-n", "machdep.cpu.brand_string")
    else:
        name = os.environ.get("PROCESSOR_IDENTIFIER", "")
    return name or platform.processor() or platform.machine()


def cores() -> int:
    """Logical cores that this process may use."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def system() -> str:
    """Operating system and architecture: ``Linux 6.1 x86_64``."""
    return f"{platform.system()} {platform.release()} {platform.machine()}"


def resident_bytes() -> int | None:
    """Resident memory of this process in bytes; None if the system does not report it."""
    if sys.platform == "linux":
        pages = _text(Path("/proc/self/statm")).split()
        return int(pages[1]) * os.sysconf("SC_PAGE_SIZE") if len(pages) > 1 else None
    if sys.platform == "win32":
        return _windows_working_set()
    kilobytes = _output("ps", "-o", "rss=", "-p", str(os.getpid()))
    return int(kilobytes) * 1024 if kilobytes.isdigit() else None


def memory_bytes() -> int | None:
    """Physical memory of this machine in bytes; None if the system does not report it."""
    if sys.platform == "win32":
        return _windows_memory()
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (ValueError, OSError):
        return None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _output(*command: str) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=5)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _windows_working_set() -> int | None:
    """``WorkingSetSize`` of PROCESS_MEMORY_COUNTERS (Windows API, psapi.h)."""

    class Counters(ctypes.Structure):
        _fields_ = [
            ("size", ctypes.c_uint32),
            ("faults", ctypes.c_uint32),
            *((f"bytes_{i}", ctypes.c_size_t) for i in range(8)),
        ]

    counters = Counters(size=ctypes.sizeof(Counters))
    kernel = ctypes.WinDLL("kernel32")  # pyright: ignore[reportAttributeAccessIssue]
    kernel.GetCurrentProcess.restype = ctypes.c_void_p
    ask = kernel.K32GetProcessMemoryInfo
    ask.argtypes = [ctypes.c_void_p, ctypes.POINTER(Counters), ctypes.c_uint32]
    if not ask(kernel.GetCurrentProcess(), ctypes.byref(counters), counters.size):
        return None
    return int(counters.bytes_1)  # after PeakWorkingSetSize


def _windows_memory() -> int | None:
    """``ullTotalPhys`` of MEMORYSTATUSEX (Windows API, sysinfoapi.h)."""

    class Status(ctypes.Structure):
        _fields_ = [
            ("size", ctypes.c_uint32),
            ("load", ctypes.c_uint32),
            *((f"bytes_{i}", ctypes.c_uint64) for i in range(7)),
        ]

    status = Status(size=ctypes.sizeof(Status))
    kernel = ctypes.WinDLL("kernel32")  # pyright: ignore[reportAttributeAccessIssue]
    if not kernel.GlobalMemoryStatusEx(ctypes.byref(status)):
        return None
    return int(status.bytes_0)
