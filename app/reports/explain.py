"""A plan as one page of text: nodes, what they read and give, latencies and their causes."""

from __future__ import annotations

import json
from typing import Any

from voicegraph.graph.pipeline import Plan
from voicegraph.graph.precision import precision_remark
from voicegraph.schemas.plan_report import (
    CopyReport,
    InputReport,
    NodeReport,
    OriginReport,
    OutputReport,
    PlanReport,
)

from .file_list import file_lines
from .plan_report import report_plan
from .text_table import WIDTH, Column, milliseconds, table, wrap

_COLUMNS = (
    Column("node"),
    Column("use", wraps=True),
    Column("reads", wraps=True),
    Column("back\nms", right=True),
    Column("ahead\nms", right=True),
    Column("gives", wraps=True),
    Column("span\nms"),
    Column("latency\nms", right=True),
    Column("runs on", wraps=True),
)
_READING = (
    "back, ahead: how far the input span of a node extends beyond its output span; a negative "
    "ahead is a delay. span: a stream gives one block per tick; a window recomputes its whole span "
    "at every tick. latency: how far the newest output is behind the newest input."
)


def explain(plan: Plan) -> str:
    """A plan as text: one line per node, the latencies and their causes.

    Ends with a line break. The text is the same for the same pipeline on every machine.
    """
    return render(report_plan(plan))


def render(report: PlanReport) -> str:
    """The text for a plan's report."""
    parts = [
        _head(report),
        _files(report),
        _library(report),
        _latency(report),
        _nodes(report),
        wrap(_READING, WIDTH),
        _approximations(report),
        _notes(report),
    ]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _head(report: PlanReport) -> list[str]:
    threads = report.settings["threads"] or "of the machine"
    return [
        f"pipeline  {report.name}   plan {report.hash}",
        f"block     {milliseconds(report.block_ms)} ms",
        f"input     {report.input.type}, {report.input.count} samples a block",
        f"output    {report.output}: {report.output_type}, {report.output_count} a block",
        f"settings  seed {report.settings['seed']}, threads {threads}, "
        f"on_nan {report.settings['on_nan']}, on_late {report.settings['on_late']}",
    ]


def _files(report: PlanReport) -> list[str]:
    lines = file_lines(report.reads, report.writes)
    return ["files", *(f"  {line}" for line in lines)] if lines else []


def _library(report: PlanReport) -> list[str]:
    """What the card of the voice gave, and what is there without it."""
    lines: list[str] = []
    for one in report.library:
        was = "" if one.instead == one.value else f" (without it: {_in_a_file(one.instead)})"
        first, *more = wrap(f"{one.path}: {_in_a_file(one.value)}   {one.why}{was}", WIDTH - 4)
        lines += [f"  {first}", *(f"    {line}" for line in more)]
    return [f"taken from the card of the voice {report.voice}", *lines] if lines else []


def _latency(report: PlanReport) -> list[str]:
    block = milliseconds(report.block_ms)
    rows = (
        ("algorithmic", milliseconds(report.latency.algorithmic_ms), "look-ahead and overlap"),
        (
            "buffering",
            milliseconds(report.latency.buffering_ms),
            f"2 blocks of {block} ms in a live session: one fills while one plays",
        ),
        ("device", "?", "latency of the sound card; known only live"),
        ("measured", "?", "from microphone to loudspeaker; known only live"),
    )
    width = max(len(amount) for _, amount, _ in rows)
    lines = [f"  {name:<11}  {amount:>{width}} ms  {why}" for name, amount, why in rows]
    compute = f"  Compute time adds no latency; it must stay below the block of {block} ms."
    return ["latency", *lines, compute, *_shares(report)]


def _shares(report: PlanReport) -> list[str]:
    """The edges that cause the algorithmic latency."""
    if not report.latency.shares:
        return ["  Nothing reads ahead."]
    uses = {node.name: node.use for node in report.nodes}
    width = max(len(milliseconds(share.ms)) for share in report.latency.shares) + 1
    lines = ["  Causes of the algorithmic latency, from the input to the output:"]
    for share in report.latency.shares:
        amount = f"{'+' if share.ms > 0 else ''}{milliseconds(share.ms)}"
        what = "rounding to whole samples and frames"
        if share.node is not None:
            verb = "reads ahead in" if share.ms > 0 else "delays"
            what = f"{share.node} ({uses[share.node]}) {verb} {share.port}"
        lines.append(f"    {amount:>{width}} ms  {what}")
        if share.most_gain_ms is not None:
            gain = f"at most {milliseconds(share.most_gain_ms)} ms of it can be gained"
            if not share.most_gain_ms:
                gain = "nothing can be gained here alone"
            lines.append(f"    {'':>{width}}     {gain}: {share.next_node} would decide next")
    return lines


def _nodes(report: PlanReport) -> list[str]:
    rows: list[list[str] | str] = []
    first_ports = {"input": "audio"} | {n.name: n.outputs[0].port for n in report.nodes}
    for node in report.nodes:
        rows += [_copy(copy) for copy in report.copies if copy.before == node.name]
        rows += _node(node, first_ports)
    rows += [_copy(copy) for copy in report.copies if copy.before is None]
    return table(_COLUMNS, rows)


def _copy(copy: CopyReport) -> str:
    where = "" if copy.before else ", the output"
    return f"copy  {copy.source} -> {copy.to_device}   (from {copy.from_device}{where})"


def _node(node: NodeReport, first_ports: dict[str, str]) -> list[list[str]]:
    """One line; more if a node has several inputs or outputs."""
    inputs = node.inputs
    reads = [_reads(entry, len(inputs), first_ports) for entry in inputs] or [["-", "", ""]]
    gives = [_gives(entry, len(node.outputs)) for entry in node.outputs]
    rows = []
    for i in range(max(len(reads), len(gives))):
        first = i == 0
        use = node.use + (" (driver)" if node.driver else "")
        rows.append(
            [
                *((node.name, use) if first else ("", "")),
                *(reads[i] if i < len(reads) else ("", "", "")),
                *(gives[i] if i < len(gives) else ("", "")),
                milliseconds(node.latency_ms) if first else "",
                f"{node.device} {node.dtype}" if first else "",
            ]
        )
    return rows


def _reads(entry: InputReport, count: int, first_ports: dict[str, str]) -> list[str]:
    """As in a file: a node name alone means its first output. Several inputs are named."""
    node, _, port = entry.source.rpartition(".")
    text = node if port == first_ports[node] else entry.source
    if count > 1:
        same = port == entry.port and node != "input"
        text = entry.source if same else f"{entry.port} <- {text}"
    back, ahead = milliseconds(entry.look_back_ms), milliseconds(entry.look_ahead_ms)
    return [f"{text} (feedback)" if entry.feedback else text, back, ahead]


def _gives(entry: OutputReport, count: int) -> list[str]:
    named = count > 1 and not entry.type.startswith(f"{entry.port} ")
    text = f"{entry.port}: {entry.type}" if named else entry.type
    length = milliseconds(entry.end_ms - entry.start_ms)
    return [text, f"{'window' if entry.window else 'stream'} {length}"]


def _approximations(report: PlanReport) -> list[str]:
    """What nodes compute less exactly than they could, and how to switch it off."""
    lines: list[str] = []
    for node in report.nodes:
        for found in node.approximations:
            path = f"nodes.{node.name}.params.{found.param}"
            text = f"{path} {_in_a_file(found.value)}: {found.meaning} "
            text += f"(off: --set {path}={_in_a_file(found.exact)})"
            first, *more = wrap(text, WIDTH - 4)
            lines += [f"  {first}", *(f"    {line}" for line in more)]
    return ["approximations", *lines] if lines else []


def _in_a_file(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _notes(report: PlanReport) -> list[str]:
    """Differences between file and plan."""
    notes: list[tuple[str, str]] = []
    for node in report.nodes:
        if node.driver:
            notes.append(
                (
                    node.name,
                    "added by the driver, whose audio type differs from the file's",
                )
            )
        if node.dropped:
            listed = ", ".join(node.dropped)
            notes.append((node.name, f"swapped; {node.use} does not have these params: {listed}"))
        if node.unused:
            notes.append((node.name, f"does not use its input {' and '.join(node.unused)}"))
        origins = [entry.origin for entry in node.inputs if entry.origin]
        notes += [(node.name, text) for origin in origins if (text := _origin(origin))]
        if node.fallback and node.fallback != node.device:
            notes.append((node.name, f"runs on {node.fallback} if {node.device} is missing"))
        notes += [(node.name, f"not repeatable: {text}") for text in node.unrepeatable]
        if remark := precision_remark(node.dtype, node.device):
            notes.append((node.name, remark))
    notes += [(name, "switched off: its input passes through") for name in report.bypassed]
    notes += [(name, "pruned: nothing that reaches the output uses it") for name in report.pruned]
    width = max((len(name) for name, _ in notes), default=0)
    return [
        f"{name:<{width}}  {line}" if i == 0 else f"{'':<{width}}  {line}"
        for name, text in notes
        for i, line in enumerate(wrap(text, WIDTH - width - 2))
    ]


def _origin(origin: OriginReport) -> str:
    """A note if models were not compared, or do not match; empty if they match."""
    found = f"{origin.found_in} is {origin.found}" if origin.found else "what comes does not say"
    if origin.outcome == "same":
        return ""
    if origin.wanted is None:
        name = f", except the name {origin.wanted_name}" if origin.wanted_name else ""
        return f"{origin.noun} not stated by {origin.wanted_by}{name}, so not compared; {found}"
    expected = f"{origin.wanted_by} goes with {origin.wanted}, but {found}"
    if origin.outcome == "another":
        return f"takes any {origin.noun}: {expected}"
    return f"{origin.noun} not compared: {expected}"
