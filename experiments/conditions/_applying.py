"""Levels that are conditions: from their text to a changed sound."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from voicegraph.graph.errors import InputError, PipelineError, Problem

from .. import packages
from ..metric import Params
from ..registry import CONDITIONS
from ..task import Arrays
from ._table import find, names


def is_condition(level: Any) -> bool:
    """Whether a level is a condition: a mapping whose first key names one."""
    return isinstance(level, Mapping) and bool(level) and next(iter(level)) in names()


def ask(level: Mapping[str, Any], folder: Path | None = None) -> tuple[str, Params]:
    """Name and params of a condition.

    Args:
        level: as in the file, such as ``{"noise": "pink", "snr": 20}``.
        folder: what names of files are relative to; by default the current folder.

    Raises:
        PipelineError: if the condition is unknown, or cannot be imported.
        ValueError: if a file is missing.
        pydantic.ValidationError: if a param is wrong.
    """
    name = next(iter(level))
    try:
        cls = find(name)
    except KeyError:
        raise PipelineError(CONDITIONS.unknown(name)) from None
    except ImportError as error:
        problem = Problem("import-failed", f"the condition {name} cannot be imported: {error}")
        raise PipelineError(problem) from error
    return name, cls.params.model_validate(dict(level)).located(folder or Path.cwd())


def missing(name: str) -> Problem | None:
    """The problem that packages of a condition are not installed; None if all are.

    Raises:
        KeyError: if the name is unknown.
    """
    return packages.missing(f"the condition {name}", find(name).needs)


def apply(
    name: str, params: Params, audio: np.ndarray, rate: int, seed: int, clip: str
) -> tuple[np.ndarray, Arrays]:
    """A clip under a condition.

    Args:
        name: of the condition.
        params: as :func:`ask` gives them.
        audio: float32 ``[samples]``.
        rate: in Hz.
        seed: of the experiment.
        clip: key of the clip: two clips get different noise.

    Returns:
        float32 ``[samples]``, equally long, and what is known about it.

    Raises:
        InputError: if the condition does not fit this clip, or gives another length or NaN.
    """
    try:
        made, known = find(name)().apply(audio, rate, params, _seed(seed, clip, name))
    except ValueError as error:
        problem = Problem("condition-failed", f"the condition {name} does not fit {clip}: {error}")
        raise InputError(problem) from error
    wrong = _wrong(made, len(audio))
    if wrong:
        problem = Problem("condition-failed", f"the condition {name} made {wrong} of {clip}")
        raise InputError(problem)
    return made.astype(np.float32), known


def _wrong(made: np.ndarray, wanted: int) -> str | None:
    if made.shape != (wanted,):
        return f"{list(made.shape)} samples instead of [{wanted}]"
    return None if np.isfinite(made).all() else "NaN or infinity"


def _seed(seed: int, clip: str, name: str) -> int:
    """A seed of 128 bits for Philox."""
    digest = hashlib.blake2b(f"{seed}\0{clip}\0{name}".encode(), digest_size=16).digest()
    return int.from_bytes(digest, "little")
