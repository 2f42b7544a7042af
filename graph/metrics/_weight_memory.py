"""How much memory weights take, wherever an object holds them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from types import FunctionType, MethodType, ModuleType

import numpy as np
import torch

_NO_HOLDERS = (str, bytes, int, float, type, FunctionType, MethodType, ModuleType)


def weight_bytes(*holders: object) -> int:
    """Bytes of the tensors and arrays that objects hold, those of the objects they hold included.

    What several of them hold, or one of them in several places, counts once.
    """
    seen: set[object] = set()
    kept: list[object] = []  # what is made on the way must not leave its id to another
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
    """What an object holds directly."""
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
    """What tells the memory behind a tensor, which views of it share, and its bytes."""
    if tensor.is_mkldnn:  # laid out by oneDNN: its memory is not shown, and has no views
        return id(tensor), tensor.numel() * tensor.element_size()
    if tensor.is_meta:
        return id(tensor), 0
    storage = tensor.untyped_storage()
    return storage.data_ptr(), storage.nbytes()


def _memory_of_array(array: np.ndarray) -> tuple[int, int]:
    while isinstance(array.base, np.ndarray):
        array = array.base
    return array.ctypes.data, array.nbytes
