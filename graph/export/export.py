"""Writes the network of a node to a file that is kept only if it computes what the node does."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata
from pathlib import Path
from typing import Any, get_args

import torch

from voicegraph.schemas.card import METADATA_KEY
from voicegraph.schemas.export_card import ExportCard
from voicegraph.schemas.export_report import (
    ExportDtype,
    ExportReport,
    LengthReport,
    TensorReport,
)

from ..errors import ExportError, PipelineError, Problem
from ..files.atomic_write import atomic_write, check_target
from ..network_export import ExportedNetwork, ExportedTensor
from ..plan import CompiledPlan, PlannedNode
from ..startup_stages import begin_stage
from ._calls import given, taken, traced_with
from .check import check
from .form import FORMS, Form
from .networks import load_network, require_exportable


def export_network(
    plan: CompiledPlan,
    name: str,
    target: Path,
    *,
    form: str = "onnx",
    dtype: ExportDtype = "float32",
    force: bool = False,
) -> ExportReport:
    """Writes the network of a node of a plan.

    The file is run in its runtime at three lengths and compared with the node, before it gets its
    name: in float32 every output is within its tolerance (1e-4 unless the node says otherwise), in
    float16 its signal-to-noise ratio is 30 dB at least.

    Args:
        plan: of which the node is a part.
        name: of the node.
        target: the file.
        form: one of ``FORMS``.
        dtype: of the weights.
        force: replace an existing file.

    Raises:
        PipelineError: if there is no such node, or it has no network, or not in this precision.
        ExportError: if the network cannot be written in this form, or differs from the node.
        OutputError: if the file cannot be written.
    """
    writer = FORMS[form]
    planned = require_exportable(plan, name)
    writer.require()
    check_target(target, force)
    network = load_network(plan, name)
    module = _module(network, planned, dtype)
    begin_stage(f"writing {name} as {writer.title}")
    with torch.no_grad():
        module(*traced_with(network))  # fills caches with real tensors, not traced ones
    with atomic_write(target, force=force) as temporary, _one_thread():
        writer.write(network, module, _metadata(network, plan, planned, dtype), temporary)
        lengths = _checked(network, planned, writer, dtype, temporary)
        size = temporary.stat().st_size
    return ExportReport(
        node=name,
        use=planned.use,
        form=form,
        dtype=dtype,
        path=str(target),
        size_bytes=size,
        inputs=_tensors(network.inputs),
        outputs=_tensors(network.outputs),
        state=[tensor for tensor in _tensors(taken(network)) if tensor.name in network.state],
        fixed=_fixed(network, planned),
        lengths=lengths,
    )


def _module(network: ExportedNetwork, planned: PlannedNode, dtype: ExportDtype) -> torch.nn.Module:
    if dtype == "float32":
        return network.module.eval()
    assert dtype in get_args(ExportDtype)
    if network.reduced is None:
        text = f"{planned.name} ({planned.use}) computes in float32 alone, not in {dtype}"
        raise PipelineError(Problem("no-such-precision", text, fix="--dtype float32"))
    return network.reduced(getattr(torch, dtype)).eval()


def _checked(
    network: ExportedNetwork, planned: PlannedNode, form: Form, dtype: ExportDtype, path: Path
) -> list[LengthReport]:
    """The comparisons with the node.

    Raises:
        ExportError: if one of them fails.
    """
    begin_stage(f"opening it as {form.title}")
    run = form.open(network, path, 1)
    lengths = check(network, run, getattr(torch, dtype))
    wrong = [length for length in lengths if not length.ok]
    if wrong:
        text = (
            f"{planned.name} ({planned.use}) as {form.title} in {dtype} differs from the node at "
            f"{len(wrong)} of {len(lengths)} lengths; nothing was written"
        )
        notes = tuple((line, None) for length in wrong for line in _said(length))
        raise ExportError(Problem("export-differs", text, notes=notes))
    return lengths


def _said(length: LengthReport) -> Iterator[str]:
    """What is wrong at a length."""
    sizes = ", ".join(f"{name} {size}" for name, size in length.sizes.items())
    where = f"at {sizes}: " if sizes else "for other values: "
    if length.failure is not None:
        yield where + length.failure
    for found in length.outputs:
        if not found.ok:
            yield f"{where}{found.output}: expected {found.limit}, found {found.found}"


def _metadata(
    network: ExportedNetwork, plan: CompiledPlan, planned: PlannedNode, dtype: ExportDtype
) -> dict[str, str]:
    """What other programs look for, and our own card."""
    files = {key.rpartition(".")[2]: plan.files[key] for key in planned.files if key in plan.files}
    params = planned.params.model_dump(mode="json")
    for key in planned.params.file_fields():
        path = getattr(planned.params, key)
        params[key] = path.name if isinstance(path, Path) else None
    card = ExportCard(
        title=planned.name[:200],
        use=planned.use,
        dtype=dtype,
        params=params,
        files={key: content.sha256 for key, content in files.items()},
        axes={name: list(x.axes) for name, x in {**taken(network), **given(network)}.items()},
        state=list(network.state),
        live={param: name for param, name in network.live.items() if name is not None},
        fixed=list(_fixed(network, planned)),
        made_by=f"voicegraph {metadata.version('voicegraph')}, torch {torch.__version__}",
    )
    return {**network.metadata, METADATA_KEY: card.stored()}


def _fixed(network: ExportedNetwork, planned: PlannedNode) -> dict[str, Any]:
    """Live params that no input changes, and their value."""
    values = planned.params.model_dump(mode="json")
    names = sorted(planned.params.live_fields() - network.live.keys())
    return {name: values[name] for name in names}


def _tensors(tensors: Mapping[str, ExportedTensor]) -> list[TensorReport]:
    return [
        TensorReport(
            name=name,
            axes=list(tensor.axes),
            dtype=str(tensor.dtype).removeprefix("torch."),
            description=tensor.description,
            optional=tensor.default is not None,
        )
        for name, tensor in tensors.items()
    ]


@contextmanager
def _one_thread() -> Iterator[None]:
    """PyTorch with one thread, as the other runtimes have: so that times can be compared."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
