"""``voicegraph check``: prints all problems of pipeline files."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.graph.precision import precision_remark
from voicegraph.graph.regular_file import shortened
from voicegraph.graph.terminal_text import printable

from ._failures import problem_reports
from ._options import (
    ConfineOption,
    JsonOption,
    PipelinesArg,
    ProfileOption,
    SetOption,
    load,
)
from ._output import echo, print_json
from ._typed_again import with_command
from .app import app

if TYPE_CHECKING:
    from pathlib import Path

    from voicegraph.graph.pipeline import Plan
    from voicegraph.schemas.report import CheckedPipeline


@app.command()
def check(
    pipelines: PipelinesArg,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    confine: ConfineOption = None,
    as_json: JsonOption = False,
) -> int:
    """Check pipelines, and print all problems at once, each with its place and a fix.

    Loads no weights and runs nothing. Exit code 2 if there is a problem.
    """
    from voicegraph.schemas.report import CheckReport

    found = [_check(name, set_args, profiles, confine) for name in pipelines]
    report = CheckReport(ok=all(entry.ok for entry, _ in found), pipelines=[e for e, _ in found])
    if as_json:
        print_json(report)
    else:
        for entry, text in found:
            echo(_text(entry, text))
    return 0 if report.ok else 2


def _check(
    name: str,
    set_args: list[str] | None,
    profiles: list[str] | None,
    confine: list[Path] | None,
) -> tuple[CheckedPipeline, str]:
    """The report of one pipeline, and its problems as text."""
    from voicegraph.app.reports.file_list import files_read, files_written
    from voicegraph.graph.errors import VoicegraphError
    from voicegraph.schemas.report import CheckedPipeline

    try:
        plan = load(name, set_args, profiles, confine).compile()
    except VoicegraphError as error:
        found = VoicegraphError(with_command(p, ["check", name]) for p in error.problems)
        problems = problem_reports(found)
        entry = CheckedPipeline(
            pipeline=name, ok=False, summary=None, warnings=[], problems=problems
        )
        return entry, str(found)
    entry = CheckedPipeline(
        pipeline=name,
        ok=True,
        summary=_summary(plan),
        warnings=_warnings(plan),
        problems=[],
        reads=files_read(plan),
        writes=files_written(plan),
    )
    return entry, ""


def _text(entry: CheckedPipeline, problems: str) -> str:
    if not entry.ok:
        count = len(entry.problems)
        name = printable(shortened(entry.pipeline))
        return f"{problems}\n{name}: {count} problem{'s' if count > 1 else ''}"
    from voicegraph.app.reports.file_list import file_lines

    warnings = [f"  warning: {warning}" for warning in entry.warnings]
    files = [f"  {line}" for line in file_lines(entry.reads, entry.writes)]
    return "\n".join([f"{printable(entry.pipeline)}: ok, {entry.summary}", *files, *warnings])


def _summary(plan: Plan) -> str:
    from voicegraph.schemas.quantities import format_duration

    count = len(plan.nodes)
    return (
        f"{count} node{'' if count == 1 else 's'}, block {format_duration(plan.block)}, "
        f"{plan.source} -> {plan.output_type}, "
        f"algorithmic latency {format_duration(plan.latency.algorithmic)}"
    )


def _warnings(plan: Plan) -> list[str]:
    """Differences between file and plan that are no errors."""
    pruned = [f"{name} is pruned: nothing that reaches the output uses it" for name in plan.pruned]
    dropped = [
        f"{node.name}: {node.use} does not have these params of the node it replaces: "
        f"{', '.join(node.dropped)}"
        for node in plan.nodes
        if node.dropped
    ]
    unused = [
        f"{node.name} does not use its input {' and '.join(node.unused)}"
        for node in plan.nodes
        if node.unused
    ]
    slow = [
        f"{node.name}: {remark}"
        for node in plan.nodes
        if (remark := precision_remark(node.dtype, node.device))
    ]
    return pruned + dropped + unused + slow
