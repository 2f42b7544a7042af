"""Phase: devices and precisions. Pure: whether a GPU is there is the session's question."""

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
    kind = ir.spec.device.partition(":")[0]
    if kind in ir.node.devices:
        return
    context.problems.add(
        "cannot-place",
        f"{ir.name} ({ir.node.use}) runs on {' or '.join(ir.node.devices)}, "
        f"not on {ir.spec.device}",
        context.mark(*ir.path, "device"),
        fix=f"nodes.{ir.name}.device: {ir.node.devices[0]}",
    )
