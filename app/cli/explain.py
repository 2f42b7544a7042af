"""``voicegraph explain``: a plan on one page."""

from __future__ import annotations

import typer

from ._options import JsonOption, PipelineArg, ProfileOption, SetOption, load
from .app import app


@app.command()
def explain(
    pipeline: PipelineArg,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Explain a pipeline: types, spans, latency and where it comes from, placement; a line a node.

    Reads no weights and runs nothing.
    """
    plan = load(pipeline, set_args, profiles).compile()

    from voicegraph.app.reports.explain import render
    from voicegraph.app.reports.plan_report import report

    from ._output import print_json

    made = report(plan)
    if as_json:
        print_json(made)
    else:
        typer.echo(render(made), nl=False)
