"""``voicegraph nodes``: lists nodes, and describes one."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from ._options import JsonOption, NodeArg
from ._output import echo, print_json
from .app import app

if TYPE_CHECKING:
    from voicegraph.app.reports.node_catalogue import NodeSummary
    from voicegraph.schemas.report import NodeInfo, ParamInfo, PortInfo


@app.command()
def nodes(name: NodeArg = None, as_json: JsonOption = False) -> None:
    """List the nodes that pipelines can use; with a name, show its ports, params and docs."""
    from ._startup import import_torch

    import_torch()
    from voicegraph.app.reports.node_catalogue import describe_node, summarize_node
    from voicegraph.graph import registry

    known = registry.names()
    chosen = known if name is None else [n for n in known if n == name or _family(n) == name]
    if not chosen:
        raise _unknown(name or "")
    if as_json:
        from voicegraph.schemas.report import NodesReport

        print_json(NodesReport(nodes=[describe_node(entry) for entry in chosen]))
    elif name is not None and chosen == [name]:
        echo(_description(describe_node(name)))
    else:
        echo(_list([summarize_node(entry) for entry in chosen]))


def _family(name: str) -> str:
    return name.partition(".")[0]


def _unknown(name: str) -> Exception:
    from voicegraph.graph import registry
    from voicegraph.graph.errors import PipelineError, Problem

    known = registry.names()
    close = registry.nearest(name.lower())
    families = ", ".join(dict.fromkeys(_family(entry) for entry in known))
    return PipelineError(
        Problem(
            "unknown-node",
            f"no node is called {name}",
            notes=((f"families: {families}", None),),
            fix=f"voicegraph nodes {close[0]}" if close else "voicegraph nodes",
        )
    )


def _list(found: list[NodeSummary]) -> str:
    from voicegraph.app.reports.text_table import Column, table

    columns = (Column("node"), Column("interface"), Column("what it does", wraps=True))
    rows: list[list[str] | str] = []
    family = None
    for info in found:
        if family not in (None, _family(info.name)):
            rows.append("")
        family = _family(info.name)
        what = f"cannot be loaded: {info.error}" if info.error else _plain(info.summary)
        rows.append([info.name, info.interface or "", what])
    return "\n".join(table(columns, rows))


def _description(info: NodeInfo) -> str:
    if info.error:
        return f"{info.name} cannot be loaded: {info.error}"
    parts = [[f"{info.name}{f'   ({info.interface})' if info.interface else ''}"]]
    parts.append(_plain(info.doc).splitlines())
    parts.append(_ports("inputs", info.inputs))
    parts.append(_ports("outputs", info.outputs))
    parts.append(param_table(info.params))
    chunking = (
        "the output does not depend on the block size"
        if info.chunking == "exact"
        else "the output depends slightly on the block size"
    )
    parts.append(
        [
            f"runs on   {', '.join(info.devices)}   ({', '.join(info.dtypes)})",
            f"chunking  {info.chunking}: {chunking}",
            f"state     {'none' if info.pure else 'kept by the session'}",
        ]
    )
    parts.append(["in a pipeline file", *_example(info)])
    return "\n\n".join("\n".join(part) for part in parts)


def _ports(title: str, ports: list[PortInfo]) -> list[str]:
    from voicegraph.app.reports.text_table import Column, table

    if not ports:
        return [title, "  none"]
    columns = (
        Column(f"{title}"),
        Column("kind"),
        Column("rate"),
        Column("width"),
        Column("", wraps=True),
    )
    rows = []
    for port in ports:
        words = ["optional"] if port.optional else []
        if port.window:
            words.append("window" if title == "outputs" else "takes windows")
        note = "; ".join(filter(None, [", ".join(words), _plain(port.doc)]))
        rows.append([port.name, port.kind, port.rate, port.width or "-", note])
    return table(columns, rows)


def param_table(params: list[ParamInfo]) -> list[str]:
    """The lines of a table of params."""
    from voicegraph.app.reports.text_table import Column, table

    if not params:
        return ["params", "  none"]
    columns = (
        Column("params"),
        Column("type", wraps=True),
        Column("range", wraps=True),
        Column("default"),
        Column("", wraps=True),
    )
    rows = []
    for param in params:
        kind = f"{param.type}, {param.unit}" if param.unit else param.type
        default = "required" if param.required else _yaml(param.default)
        live = "(live) " if param.live else ""
        rows.append([param.name, kind, param.range or "", default, f"{live}{_plain(param.doc)}"])
    lines = table(columns, rows)
    if any(param.live for param in params):
        lines += ["", "(live): can change while the pipeline runs"]
    return lines


def _yaml(value: object) -> str:
    return value if isinstance(value, str) and value else json.dumps(value)


def _example(info: NodeInfo) -> list[str]:
    """An entry for a pipeline file, with the inputs by name and the required params."""
    needed = [port.name for port in info.inputs if not port.optional]
    params = [param.name for param in info.params if param.required]
    parts = [f"use: {info.name}"]
    if len(needed) == 1:
        parts.append("in: NODE")
    elif needed:
        parts.append(f"in: {{{', '.join(f'{name}: NODE' for name in needed)}}}")
    if params:
        parts.append(f"params: {{{', '.join(f'{name}: VALUE' for name in params)}}}")
    name = f"my_{info.name.partition('.')[2]}"
    if len(needed) > 1:
        return [f"  {name}:", *(f"    {part}" for part in parts)]
    return [f"  {name}: {{{', '.join(parts)}}}"]


def _plain(text: str) -> str:
    """Docstrings mark code with two backticks; in a terminal, one is easier to read."""
    return text.replace("``", "`")
