"""Phase: devices and precisions. Pure: only a session asks whether the machine has the device."""

from __future__ import annotations

from dataclasses import dataclass

from ..errors import Mark
from ..precision import AUTO, INT8
from .node_ir import CompileContext, NodeIR


def place(context: CompileContext) -> None:
    """Checks that each node can run where the file puts it."""
    wrong: dict[tuple[str, Mark | None], list[_Misplaced]] = {}
    for ir in context.nodes.values():
        for found in filter(None, (_device(ir), _dtype(ir))):
            origin = context.loaded.source_map.origin((*ir.path, found.key))
            # Nodes that take one var make one mistake.
            key = (found.key if origin else f"{ir.name}.{found.key}", origin)
            wrong.setdefault(key, []).append(found)
    for (_, origin), (first, *others) in wrong.items():
        notes = [("the value comes from a var", origin)] if origin else []
        notes += [(f"also {o.text}", context.mark(*o.path)) for o in others]
        context.problems.add(
            "cannot-place",
            first.text,
            context.mark(*first.path),
            notes=notes,
            fix="\n".join(f"{'.'.join(found.path)}: {found.right}" for found in (first, *others)),
        )


@dataclass(frozen=True, slots=True)
class _Misplaced:
    """A device or precision that a node does not have, and one that it has."""

    path: tuple[str, ...]
    text: str
    right: str

    @property
    def key(self) -> str:
        return self.path[-1]


def _dtype(ir: NodeIR) -> _Misplaced | None:
    dtype, known = ir.spec.dtype, ir.node.dtypes
    if dtype == INT8 and dtype in known and ir.spec.device != "cpu":
        text = f"{ir.name} ({ir.node.use}) computes in int8 on cpu, not on {ir.spec.device}"
    elif dtype in (AUTO, *known):
        return None
    else:
        text = f"{ir.name} ({ir.node.use}) computes in {' or '.join(known)}, not in {dtype}"
    return _Misplaced((*ir.path, "dtype"), text, known[0])


def _device(ir: NodeIR) -> _Misplaced | None:
    device, name = ir.spec.device, f"{ir.name} ({ir.node.use})"
    if not ir.node.runs_on(device):
        text = f"{name} runs on {' or '.join(ir.node.devices)}, not on {device}"
    elif device == "mps" and ir.node.needs_float64:
        text = f"{name} computes in float64, which mps does not support"
    else:
        return None
    return _Misplaced((*ir.path, "device"), text, ir.node.devices[0])
