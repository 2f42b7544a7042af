"""Memory that is free is returned to the system."""

from __future__ import annotations

import ctypes
import sys

import pytest

from voicegraph.graph.live import memory_trim
from voicegraph.graph.live.memory_trim import trim_memory
from voicegraph.graph.machine import resident_bytes


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only glibc keeps it")
def test_memory_that_is_free_in_the_middle_of_the_heap_is_returned() -> None:
    if not trim_memory():
        pytest.skip("this C library trims by itself")
    libc = ctypes.CDLL(None)
    libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
    libc.free.argtypes = [ctypes.c_void_p]
    parts = [libc.malloc(100_000) for _ in range(400)]  # too small for mappings of their own
    for part in parts:
        ctypes.memset(part, 1, 100_000)
    for part in parts[:-1]:
        libc.free(part)
    before = resident_bytes() or 0
    trim_memory()
    freed = before - (resident_bytes() or 0)
    libc.free(parts[-1])
    assert freed > 30_000_000


def test_nothing_happens_where_the_allocator_has_no_such_function(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory_trim, "_malloc_trim", lambda: None)
    assert not trim_memory()
