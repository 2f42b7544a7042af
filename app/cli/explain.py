"""``voicegraph explain``: prints a plan as one page."""

from __future__ import annotations

from ._options import JsonOption, PipelineArg, ProfileOption, SetOption, load
from ._output import echo, print_json
from .app import app


@app.command()
def explain(
    pipeline: PipelineArg,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a pipeline: types, spans, latency and its causes, placement; one line per node.

    Loads no weights and runs nothing.
    """
    plan = load(pipeline, set_args, profiles).compile()

    from voicegraph.app.reports.explain import render
    from voicegraph.app.reports.plan_report import report_plan

    made = report_plan(plan)
    if as_json:
        print_json(made)
    else:
        echo(render(made), end="")
