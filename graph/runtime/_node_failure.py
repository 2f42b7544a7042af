"""An exception in a node as an error that names the node, the cause and the place."""

from __future__ import annotations

import traceback
from pathlib import Path

import torch

from ..errors import NodeFailedError, Problem

_PLACES = 3
"""Innermost calls that are named."""
_MEMORY_FIX = "a larger block or a shorter context needs less memory at once; or use another device"
_FIX = "if the node is yours, correct it; if not, please report this"


def node_failure(
    name: str, use: str, error: Exception | SystemExit, during: str = ""
) -> NodeFailedError:
    """The error for an exception that a node raised.

    Args:
        name: the node's name in the pipeline.
        use: its registered name.
        error: the exception.
        during: when it failed; by default in processing a block.
    """
    said = " ".join(str(error).split()) or "no message"
    failed = f"failed {during}".rstrip()
    text = f"node {name} ({use}) {failed}: {type(error).__name__}: {said}"
    notes = tuple((place, None) for place in _places(error))
    fix = _MEMORY_FIX if out_of_memory(error) else _FIX
    return NodeFailedError(Problem("node-failed", text, notes=notes, fix=fix), name)


def out_of_memory(error: BaseException | None) -> bool:
    """Whether memory of the machine or of an accelerator ran out."""
    return isinstance(error, (MemoryError, torch.OutOfMemoryError))


def _places(error: BaseException) -> list[str]:
    """Where it was raised, innermost first. The first frame is the engine's call of the node."""
    frames = traceback.extract_tb(error.__traceback__)[1:]
    return [
        f"at {Path(frame.filename).name}:{frame.lineno}, in {frame.name}"
        for frame in reversed(frames[-_PLACES:])
    ]
