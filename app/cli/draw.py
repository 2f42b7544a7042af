"""``voicegraph draw``: draws a plan."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

from voicegraph.app.reports.drawing import SUFFIXES, Format
from voicegraph.graph.errors import OutputError, Problem
from voicegraph.graph.terminal_text import printable

from ._options import ForceOption, PipelineArg, ProfileOption, SetOption, load, option
from ._output import echo
from .app import app


class _Format(StrEnum):
    """Formats that the shell completes."""

    svg = "svg"
    dot = "dot"
    mermaid = "mermaid"


_ENDINGS = "File to write; the ending (.svg, .dot, .mmd) chooses the format. Default: print it."
OutputOption = Annotated[Path | None, option("FILE", _ENDINGS, "--output", "-o")]
FormatOption = Annotated[
    _Format | None, option(None, "Default: by the ending of FILE, else mermaid.", "--format")
]


@app.command()
def draw(
    pipeline: PipelineArg,
    output: OutputOption = None,
    drawing: FormatOption = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    force: ForceOption = False,
) -> None:
    """Draw a pipeline: nodes, ports, types, spans, latency, devices.

    SVG needs no other program, and adapts to the light or dark mode of the viewer.
    """
    from voicegraph.graph.files.atomic_write import write_text

    chosen = _choose(output, drawing)
    text = load(pipeline, set_args, profiles).compile().draw(chosen)
    if output is None:
        echo(text, end="")
    else:
        write_text(output, text, force=force)
        echo(f"wrote {printable(str(output))}")


def _choose(output: Path | None, drawing: _Format | None) -> Format:
    if drawing is not None:
        return drawing.value
    if output is None:
        return "mermaid"
    found = SUFFIXES.get(output.suffix.lower())
    if found is None:
        text = f"the ending of {output} names no format; known endings: {', '.join(SUFFIXES)}"
        fix = f"-o {output.with_suffix('.svg')}, or --format svg"
        raise OutputError(Problem("unknown-format", text, fix=fix))
    return found
