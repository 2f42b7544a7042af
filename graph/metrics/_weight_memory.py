"""Memory of weights: the bytes of all tensors and arrays that objects refer to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType

import numpy as np
import torch

_NO_HOLDERS = (str, bytes, int, float, type, FunctionType, MethodType, ModuleType)


def weight_bytes(*holders: object) -> int:
    """Bytes of all tensors and arrays that objects refer to, directly or indirectly.

    Shared memory counts once.
    """
    seen: set[object] = set()
    kept: list[object] = []  # keeps temporary objects alive, so that no id is reused
    waiting: list[object] = list(holders)
    total = 0
    while waiting:
        value = waiting.pop()
        if isinstance(value, _NO_HOLDERS) or id(value) in seen:
            continue
        seen.add(id(value))
        kept.append(value)
        if isinstance(value, torch.Tensor):
            address, size = _memory_of(value)
        elif isinstance(value, np.ndarray):
            address, size = _memory_of_array(value)
        else:
            waiting.extend(_held(value))
            continue
        if ("memory", address) not in seen:
            seen.add(("memory", address))
            total += size
    return total


def _held(value: object) -> Iterator[object]:
    """The objects that an object refers to directly."""
    if isinstance(value, Mapping):
        yield from value.values()
    elif isinstance(value, (list, tuple, set, frozenset)):
        yield from value
    yield from vars(value).values() if hasattr(value, "__dict__") else ()
    for kind in type(value).__mro__:
        for name in _names(kind.__dict__.get("__slots__", ())):
            if name not in ("__dict__", "__weakref__") and hasattr(value, name):
                yield getattr(value, name)


def _names(slots: str | Iterable[str]) -> Iterable[str]:
    return (slots,) if isinstance(slots, str) else slots


def _memory_of(tensor: torch.Tensor) -> tuple[int, int]:
    """Identifies the memory of a tensor, which its views share, and its size in bytes."""
    if tensor.is_mkldnn:  # oneDNN layout: the address is not accessible, and there are no views
        return id(tensor), tensor.numel() * tensor.element_size()
    if tensor.is_meta:
        return id(tensor), 0
    storage = tensor.untyped_storage()
    return storage.data_ptr(), storage.nbytes()


def _memory_of_array(array: np.ndarray) -> tuple[int, int]:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.ctypes.data, array.nbytes
