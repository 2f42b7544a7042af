"""A plan as one page of text: what runs, what it reads and gives, how late it is, and why."""

from __future__ import annotations

from voicegraph.graph.pipeline import Plan
from voicegraph.schemas.plan_report import (
    CopyReport,
    InputReport,
    NodeReport,
    OriginReport,
    OutputReport,
    PlanReport,
)

from .plan_report import report
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
    "back, ahead: how far the span that a node is given reaches beyond what it makes of it; a "
    "negative ahead is a delay. span: a stream makes one block, a window its whole span afresh at "
    "every tick. latency: how far the newest output lies behind the newest input."
)


def explain(plan: Plan) -> str:
    """One readable page: a line a node, the latencies and where they come from.

    Ends in a line break. The same for the same pipeline on every machine.
    """
    return render(report(plan))


def render(page: PlanReport) -> str:
    """The page of a plan that was reported."""
    parts = [_head(page), _latency(page), _nodes(page), wrap(_READING, WIDTH), _notes(page)]
    return "\n\n".join("\n".join(part) for part in parts if part) + "\n"


def _head(page: PlanReport) -> list[str]:
    threads = page.settings["threads"] or "as the machine has"
    return [
        f"pipeline  {page.name}   plan {page.hash}",
        f"block     {milliseconds(page.block_ms)} ms",
        f"input     {page.input.type}, {page.input.count} samples a block",
        f"output    {page.output}: {page.output_type}, {page.output_count} a block",
        f"settings  seed {page.settings['seed']}, threads {threads}, "
        f"on_nan {page.settings['on_nan']}, on_late {page.settings['on_late']}",
    ]


def _latency(page: PlanReport) -> list[str]:
    block = milliseconds(page.block_ms)
    rows = (
        ("algorithmic", milliseconds(page.latency.algorithmic_ms), "look-ahead and overlap"),
        (
            "buffering",
            milliseconds(page.latency.buffering_ms),
            f"2 blocks of {block} ms in a live session: one fills while one plays",
        ),
        ("device", "?", "the sound card's own; known only live"),
        ("measured", "?", "from mouth to ear; known only live"),
    )
    width = max(len(amount) for _, amount, _ in rows)
    lines = [f"  {name:<11}  {amount:>{width}} ms  {why}" for name, amount, why in rows]
    compute = f"  Compute time adds nothing: it is headroom against the block of {block} ms."
    return ["latency", *lines, compute, *_shares(page)]


def _shares(page: PlanReport) -> list[str]:
    """Which edges the algorithmic latency comes from."""
    if not page.latency.shares:
        return ["  Nothing reads ahead."]
    uses = {node.name: node.use for node in page.nodes}
    width = max(len(milliseconds(share.ms)) for share in page.latency.shares) + 1
    lines = ["  The algorithmic latency comes from, on the way from the input to the output:"]
    for share in page.latency.shares:
        amount = f"{'+' if share.ms > 0 else ''}{milliseconds(share.ms)}"
        what = "rounding to whole samples and frames"
        if share.node is not None:
            verb = "reads ahead in" if share.ms > 0 else "delays"
            what = f"{share.node} ({uses[share.node]}) {verb} {share.port}"
        lines.append(f"    {amount:>{width}} ms  {what}")
    return lines


def _nodes(page: PlanReport) -> list[str]:
    rows: list[list[str] | str] = []
    first_ports = {"input": "audio"} | {n.name: n.outputs[0].port for n in page.nodes}
    for node in page.nodes:
        rows += [_copy(copy) for copy in page.copies if copy.before == node.name]
        rows += _node(node, first_ports)
    rows += [_copy(copy) for copy in page.copies if copy.before is None]
    return table(_COLUMNS, rows)


def _copy(copy: CopyReport) -> str:
    where = "" if copy.before else ", the output"
    return f"copy  {copy.source} -> {copy.to_device}   (from {copy.from_device}{where})"


def _node(node: NodeReport, first_ports: dict[str, str]) -> list[list[str]]:
    """One line; more only where a node has several inputs or outputs."""
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
    """As in a file, where a bare node name means its first output; the input named where needed."""
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


def _notes(page: PlanReport) -> list[str]:
    """What is not as the file has it."""
    notes: list[tuple[str, str]] = []
    for node in page.nodes:
        if node.driver:
            notes.append((node.name, "added by the driver, whose audio is not of the file's type"))
        if node.dropped:
            listed = ", ".join(node.dropped)
            notes.append((node.name, f"swapped; {node.use} does not have these params: {listed}"))
        if node.unused:
            notes.append((node.name, f"does without its input {' and '.join(node.unused)}"))
        origins = [entry.origin for entry in node.inputs if entry.origin]
        notes += [(node.name, text) for origin in origins if (text := _origin(origin))]
        if node.fallback and node.fallback != node.device:
            notes.append((node.name, f"runs on {node.fallback} if {node.device} is missing"))
    notes += [(name, "switched off: its input passes through") for name in page.bypassed]
    notes += [(name, "pruned: nothing that reaches the output uses it") for name in page.pruned]
    width = max((len(name) for name, _ in notes), default=0)
    return [
        f"{name:<{width}}  {line}" if i == 0 else f"{'':<{width}}  {line}"
        for name, text in notes
        for i, line in enumerate(wrap(text, WIDTH - width - 2))
    ]


def _origin(origin: OriginReport) -> str:
    """Where nothing says that a model is the right one, or that it is not; empty where it is."""
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
