"""Phase: devices and precisions. Pure: whether a GPU is there is the session's question."""

from __future__ import annotations

from .node_ir import Draft, Sheet


def place(sheet: Sheet) -> None:
    """Checks that each node can run where the file puts it."""
    for draft in sheet.drafts.values():
        _check_device(sheet, draft)
        dtype = draft.spec.dtype
        if dtype not in draft.node.dtypes:
            sheet.problems.add(
                "cannot-place",
                f"{draft.name} ({draft.node.use}) computes in {' or '.join(draft.node.dtypes)}, "
                f"not in {dtype}",
                sheet.mark(*draft.path, "dtype"),
                fix=f"nodes.{draft.name}.dtype: {draft.node.dtypes[0]}",
            )


def _check_device(sheet: Sheet, draft: Draft) -> None:
    kind = draft.spec.device.partition(":")[0]
    if kind in draft.node.devices:
        return
    sheet.problems.add(
        "cannot-place",
        f"{draft.name} ({draft.node.use}) runs on {' or '.join(draft.node.devices)}, "
        f"not on {draft.spec.device}",
        sheet.mark(*draft.path, "device"),
        fix=f"nodes.{draft.name}.device: {draft.node.devices[0]}",
    )
