"""``voicegraph export``: the network of a node as a file for other runtimes."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from voicegraph.graph.terminal_text import printable

from ._options import (
    ForceOption,
    JsonOption,
    PipelineArg,
    ProfileOption,
    SetOption,
    load,
    option,
)
from ._output import echo, print_json
from ._startup_display import startup_display
from .app import app

if TYPE_CHECKING:
    from collections.abc import Iterator

    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.bundle import BundleReport
    from voicegraph.schemas.export_report import ExportReport, LengthReport, TensorReport


class _Form(StrEnum):
    """Forms that the shell completes."""

    onnx = "onnx"
    torchscript = "torchscript"
    pt2 = "pt2"


class _Dtype(StrEnum):
    float32 = "float32"
    float16 = "float16"


NodeOption = Annotated[
    str | None, option("NAME", "The node of the pipeline whose network is written.", "--node")
]
AllOption = Annotated[
    Path | None,
    option(
        "DIR",
        "Write all networks of the pipeline into a folder, with its plan as data, the index, and "
        "values to check other programs by.",
        "--all",
    ),
]
FormOption = Annotated[
    _Form | None,
    option(
        None,
        "onnx; torchscript, for C++ with libtorch; or pt2, a program of torch.export. Default: by "
        "the ending of --output, or onnx.",
        "--form",
    ),
]
DtypeOption = Annotated[_Dtype, option(None, "Precision of the weights.", "--dtype")]
OutputOption = Annotated[
    Path | None,
    typer.Option(
        "--output",
        "-o",
        metavar="FILE",
        help="The file to write. Default: the node's name, with the ending of the form.",
    ),
]


@app.command()
def export(
    pipeline: PipelineArg,
    node: NodeOption = None,
    all_into: AllOption = None,
    form: FormOption = None,
    dtype: DtypeOption = _Dtype.float32,
    output: OutputOption = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Write the network of a node for other runtimes, if it computes what the node does.

    The file is run at three lengths and compared with the node before it is kept:

    voicegraph export rvc --node voice -o voice.onnx --set vars.voice=alice.pth

    With --all a folder is written, a bundle, which `voicegraph bundle run` runs without PyTorch.

    Exit code 9 if the network cannot be written in a form, or differs from the node.
    """
    from voicegraph.graph.export import FORMS, export_network

    if all_into is not None:
        if node is not None or output is not None:
            raise typer.BadParameter("--all takes neither --node nor -o", param_hint="--all")
        _write_all(load(pipeline, set_args, profiles), all_into, form, dtype, force, as_json)
        return
    if node is None:
        text = "--node NAME for one network, or --all DIR for all of them"
        raise typer.BadParameter(text, param_hint="--node")
    chosen = _form(form, output)
    target = output or Path(node + FORMS[chosen].endings[0])
    with startup_display(quiet=as_json, summary=False):
        plan = load(pipeline, set_args, profiles).compile()
        report = export_network(plan, node, target, form=chosen, dtype=dtype.value, force=force)
    if as_json:
        print_json(report)
        return
    for line in _lines(report):
        echo(line)


def _write_all(
    pipeline: Pipeline,
    folder: Path,
    form: _Form | None,
    dtype: _Dtype,
    force: bool,
    as_json: bool,
) -> None:
    """Writes a bundle, and says what is in it."""
    from voicegraph.graph.export import write_bundle

    with startup_display(quiet=as_json, summary=False):
        chosen = (form or _Form.onnx).value
        report = write_bundle(pipeline, folder, form=chosen, dtype=dtype.value, force=force)
    if as_json:
        print_json(report)
        return
    for line in _bundle_lines(report):
        echo(line)


def _bundle_lines(report: BundleReport) -> Iterator[str]:
    """The networks with their largest differences, and what a program must compute itself."""
    from voicegraph.app.reports.text_table import Column, table

    columns = (
        Column("network"),
        Column("of"),
        Column("largest\ndifference", right=True),
        Column("MB", right=True),
    )
    rows = []
    for made in report.networks:
        found = [x.largest for length in made.lengths for x in length.outputs]
        largest = max((value for value in found if value is not None), default=0.0)
        size = f"{made.size_bytes / 1e6:.1f}"
        rows.append((printable(made.path), f"{made.node} ({made.use})", f"{largest:.2g}", size))
    yield from table(columns, rows)
    yield ""
    if report.without_network:
        yield f"without a network: {', '.join(report.without_network)}"
    yield f"wrote {printable(report.path)} ({report.size_bytes / 1e6:.1f} MB)"


def _form(form: _Form | None, output: Path | None) -> str:
    """The form that was named, or that the ending of the file says."""
    from voicegraph.graph.export.form import FORMS, form_of

    if form is not None:
        return form.value
    if output is None:
        return _Form.onnx.value
    found = form_of(output.suffix)
    if found is None:
        known = ", ".join(ending for each in FORMS.values() for ending in each.endings)
        text = f"{printable(str(output))} ends in none of {known}: give --form"
        raise typer.BadParameter(text, param_hint="--output")
    return found


def _lines(report: ExportReport) -> Iterator[str]:
    """What was written, how it is called, and how far it is from the node."""
    from voicegraph.app.reports.text_table import Column, table

    tensors = [
        *(("in", tensor) for tensor in report.inputs),
        *(("state", tensor) for tensor in report.state),
        *(("out", tensor) for tensor in report.outputs),
    ]
    columns = (Column(""), Column("name"), Column("axes"), Column("type"), Column("", wraps=True))
    yield from table(columns, [(what, *_cells(tensor)) for what, tensor in tensors])
    yield ""
    columns = (
        Column("compared at"),
        Column("output"),
        Column("largest\ndifference", right=True),
        Column("SNR\ndB", right=True),
        Column("node\nCPU ms", right=True),
        Column("file\nCPU ms", right=True),
    )
    yield from table(columns, [row for length in report.lengths for row in _rows(length)])
    yield ""
    if report.fixed:
        fixed = ", ".join(f"{name} {value}" for name, value in report.fixed.items())
        yield f"fixed in the file, live in the node: {printable(fixed)}"
    size = f"{report.size_bytes / 1e6:.1f} MB, {report.dtype}"
    yield f"wrote {printable(report.path)} ({size})"


def _cells(tensor: TensorReport) -> tuple[str, str, str, str]:
    axes = f"[{', '.join(map(str, tensor.axes))}]"
    text = f"{tensor.description}; may be left out" if tensor.optional else tensor.description
    return tensor.name, axes, tensor.dtype, text


def _rows(length: LengthReport) -> Iterator[tuple[str, ...]]:
    sizes = ", ".join(f"{name} {size}" for name, size in length.sizes.items()) or "other values"
    times = [f"{ms:.1f}" if ms is not None else "" for ms in (length.node_ms, length.export_ms)]
    for number, found in enumerate(length.outputs):
        first = number == 0
        yield (
            sizes if first else "",
            found.output,
            "" if found.largest is None else f"{found.largest:.2g}",
            "equal" if found.snr_db is None else f"{found.snr_db:.1f}",
            *(times if first else ("", "")),
        )
