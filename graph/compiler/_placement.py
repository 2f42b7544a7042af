"""Phase: devices and precisions. Pure: only a session asks whether the machine has the device."""

from __future__ import annotations

from .node_ir import CompileContext, NodeIR


def place(context: CompileContext) -> None:
    """Checks that each node can run where the file puts it."""
    for ir in context.nodes.values():
        _check_device(context, ir)
        dtype = ir.spec.dtype
        if dtype not in ir.node.dtypes:
            context.problems.add(
                "cannot-place",
                f"{ir.name} ({ir.node.use}) computes in {' or '.join(ir.node.dtypes)}, "
                f"not in {dtype}",
                context.mark(*ir.path, "dtype"),
                fix=f"nodes.{ir.name}.dtype: {ir.node.dtypes[0]}",
            )


def _check_device(context: CompileContext, ir: NodeIR) -> None:
    device, name = ir.spec.device, f"{ir.name} ({ir.node.use})"
    if not ir.node.runs_on(device):
        text = f"{name} runs on {' or '.join(ir.node.devices)}, not on {device}"
    elif device == "mps" and ir.node.needs_float64:
        text = f"{name} computes in float64, which mps does not support"
    else:
        return
    mark = context.mark(*ir.path, "device")
    fix = f"nodes.{ir.name}.device: {ir.node.devices[0]}"
    context.problems.add("cannot-place", text, mark, fix=fix)
