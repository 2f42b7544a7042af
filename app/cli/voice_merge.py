"""``voicegraph voice merge``: a voice between two others."""

from __future__ import annotations

import typer

from ._options import JsonOption
from ._output import echo, print_json
from ._voice_library_options import (
    CardTitleOption,
    FirstArg,
    NameOption,
    RatioOption,
    ReplaceOption,
    SecondArg,
)
from .voice import voice
from .voice_add import added_text


@voice.command("merge")
def voice_merge(
    first: FirstArg,
    second: SecondArg,
    ratio: RatioOption = 0.5,
    name: NameOption = None,
    title: CardTitleOption = None,
    force: ReplaceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Put a voice between two RVC voices into the library: weights in the given ratio.

    voicegraph voice merge alice bob --ratio .7 --name carol
    """
    if not 0 < ratio < 1:
        text = f"{ratio:g} is no share of the first voice: more than 0 and less than 1"
        raise typer.BadParameter(text, param_hint="--ratio")
    from voicegraph.app.voice_library import MergeRequest, merge

    request = MergeRequest(first, second, ratio, name, title, force)
    report = merge(request, lambda line: echo(line, err=True))
    print_json(report) if as_json else echo(added_text(report))
