"""How much memory a plan takes at least, and the limit above which it is refused.

The estimate counts what is known before anything is allocated: the values at all ports, the
histories of edges and the sizes of model files. Networks need more for their inner values, so a
plan that is refused would not have fitted.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from .errors import PipelineError, Problem
from .machine import memory_bytes
from .plan import CompiledPlan, PlannedNode
from .ports import PortRef, PortSpec
from .regular_file import require_regular
from .signals import SignalType

SETTING = "VOICEGRAPH_MEMORY"
"""Environment variable with the limit: ``8GB``, ``512MB``, ``75%`` of the machine's, or ``off``."""

_SHARE = 0.5
_VALUE = 4
"""Bytes of a value; all signals are float32."""
_BUFFERS = 2
"""Copies that an edge with history keeps."""
_UNITS = {"KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,6})?) ?([KMGT]I?B|%)", re.IGNORECASE)
_CGROUP = Path("/sys/fs/cgroup/memory.max")


def memory_limit() -> int | None:
    """The limit in bytes: the setting, or half of the machine's memory; None if there is none.

    Raises:
        PipelineError: if the setting is not understood.
    """
    said = os.environ.get(SETTING, "").strip()
    if said.lower() == "off":
        return None
    total = machine_bytes()
    if not said:
        return None if total is None else int(_SHARE * total)
    match = _SIZE.fullmatch(said)
    if match is None:
        text = f"{SETTING} is {said!r:.60}, expected a size"
        raise PipelineError(Problem("bad-setting", text, fix=f"{SETTING}=8GB, 75% or off"))
    if match[2] == "%":
        return None if total is None else int(float(match[1]) / 100 * total)
    return int(float(match[1]) * _UNITS[match[2].upper()])


def machine_bytes() -> int | None:
    """Physical memory, or what a container may use of it; None if it is not known."""
    sizes = [memory_bytes()]
    with suppress(OSError, ValueError):
        sizes.append(int(_CGROUP.read_text(encoding="ascii")))
    return min((size for size in sizes if size), default=None)


def plan_memory(plan: CompiledPlan, streams: int = 1) -> dict[str, int]:
    """Bytes that each node of a plan takes at least, by name, largest first.

    Args:
        plan: the plan.
        streams: number of independent streams of the session.
    """
    made = {PortRef(node.name, port): spec for node in plan.nodes for port, spec in _made(node)}
    sizes = {node.name: _node_bytes(node, made, streams) for node in plan.nodes}
    return dict(sorted(sizes.items(), key=lambda item: -item[1]))


def require_memory(plan: CompiledPlan, streams: int = 1) -> None:
    """Refuses a plan that takes more than the limit.

    Raises:
        PipelineError: with the node that takes most.
    """
    if (problem := over_limit(plan_memory(plan, streams), plan.name)) is not None:
        raise PipelineError(problem)


def over_limit(sizes: Mapping[str, int], whole: str) -> Problem | None:
    """The problem that parts take more memory than the limit; None if they do not.

    Args:
        sizes: bytes of each part by name.
        whole: what they are parts of.
    """
    limit, total = memory_limit(), sum(sizes.values())
    if limit is None or total <= limit:
        return None
    name, most = max(sizes.items(), key=lambda item: item[1])
    text = (
        f"{whole} needs at least {format_bytes(total)} of memory, more than the limit of "
        f"{format_bytes(limit)}; {name} takes {format_bytes(most)} of it"
    )
    note = (f"{SETTING} sets the limit; by default it is half of the machine's memory", None)
    return Problem("too-much-memory", text, notes=(note,), fix=f"{SETTING}={_enough(total)}")


def format_bytes(count: int) -> str:
    """``812 MB``, ``66.4 GB``."""
    for unit, size in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= size:
            digits = count / size
            return f"{digits:.0f} {unit}" if digits >= 100 else f"{digits:.1f} {unit}"
    return f"{count} bytes"


def _enough(total: int) -> str:
    return f"{math.ceil(total / 1e9)}GB"


def _node_bytes(node: PlannedNode, made: Mapping[PortRef, PortSpec], streams: int) -> int:
    ports = [*node.given.values(), *node.asked.values()]
    values = sum(_values(spec.type, spec.count) for spec in ports)
    for port, link in node.inputs.items():
        values += _history(node.given[port], made.get(link.source))
    return streams * values * _VALUE + _file_bytes(node)


def _made(node: PlannedNode) -> list[tuple[str, PortSpec]]:
    return list(node.asked.items())


def _values(kind: SignalType, count: int) -> int:
    return math.prod(kind.shape(1, count))


def _history(given: PortSpec, made: PortSpec | None) -> int:
    """Values that an edge keeps so that its reader can look back; 0 for windows."""
    if given.window:
        return 0
    end = made.interval.end if made else 0
    length = math.ceil((end - given.interval.start) * given.rate)
    return _BUFFERS * _values(given.type, length) if length > given.count else 0


def _file_bytes(node: PlannedNode) -> int:
    """Sizes of the model files that a node loads."""
    written = set(node.node.keeps(node.params).values())
    total = 0
    for name in node.params.file_fields():
        path = getattr(node.params, name)
        if path is not None and path not in written:
            with suppress(OSError):
                total += require_regular(path).st_size
    return total
