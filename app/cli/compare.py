"""``voicegraph compare``: measures how far two pipelines are apart on the same sound."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ._completion import complete_nodes, complete_pipelines, complete_profiles, complete_set
from ._limit_codes import limits_code
from ._options import (
    ForceOption,
    JsonOption,
    ProfileOption,
    SetOption,
    argument,
    flag,
    load,
    option,
)
from ._output import echo, listing_command, print_json
from ._run_options import InputSelectOption, channel_numbers
from ._startup_display import startup_display
from .app import app

if TYPE_CHECKING:
    from voicegraph.graph.comparison import Clip
    from voicegraph.graph.errors import Problem
    from voicegraph.graph.pipeline import Plan

AArg = Annotated[str, argument("A", "The reference: a pipeline file or name.", complete_pipelines)]
BArg = Annotated[
    str | None,
    argument("B", "What is judged. Default: A, with the overrides of --set-b.", complete_pipelines),
]
OnOption = Annotated[
    list[str] | None,
    option(
        "FILE...",
        "Sound files, patterns or folders: all arguments up to the next option. May be repeated. "
        "Default: the bundled recording.",
        "--on",
    ),
]
SetAOption = Annotated[
    list[str] | None,
    option(
        "PATH=VALUE", "Override a value of A. May be repeated.", "--set-a", complete=complete_set
    ),
]
SetBOption = Annotated[
    list[str] | None,
    option(
        "PATH=VALUE", "Override a value of B. May be repeated.", "--set-b", complete=complete_set
    ),
]
ProfileAOption = Annotated[
    list[str] | None,
    option("NAME", "A profile of A. May be repeated.", "--profile-a", complete=complete_profiles),
]
ProfileBOption = Annotated[
    list[str] | None,
    option("NAME", "A profile of B. May be repeated.", "--profile-b", complete=complete_profiles),
]
WithinOption = Annotated[
    list[str] | None,
    option(
        "LIMIT",
        "A condition of acceptance, such as 'snr>=30dB' or 'content.cosine>=.99'. The exit code is "
        "9 if one does not hold. May be repeated.",
        "--within",
    ),
]
PictureOption = Annotated[
    Path | None,
    option("FILE.png", "Draw both spectrograms, their difference, and F0, of the worst file."),
]
SecondsOption = Annotated[
    float | None, option("S", "Compare at most so much of each file. Default: all.", least=1)
]
TrackerOption = Annotated[
    str, option("NODE", "The node that tracks F0 of both sounds.", complete=complete_nodes)
]
SalvageOption = Annotated[
    bool, flag("--salvage", "Compare on what can be read of a truncated or damaged file.")
]


@app.command(cls=listing_command("--on"))
def compare(
    a: AArg,
    b: BArg = None,
    on: OnOption = None,
    set_a: SetAOption = None,
    set_b: SetBOption = None,
    profile_a: ProfileAOption = None,
    profile_b: ProfileBOption = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    within: WithinOption = None,
    picture: PictureOption = None,
    seconds: SecondsOption = None,
    tracker: TrackerOption = "f0.dio",
    input_select: InputSelectOption = None,
    salvage: SalvageOption = False,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> int:
    """Measure how far two pipelines are apart on the same sound.

    Both run from one start, in turns. The output and all common ports are aligned and compared:

    voicegraph compare world --set-b nodes.f0.use=f0.harvest --on speech/*.wav --within 'lsd<=3dB'

    `--set` and `--profile` apply to both. Exit code 9 if a condition of --within does not hold.
    """
    from voicegraph.graph import comparison

    _require_two(b, set_a, set_b, profile_a, profile_b)
    _require_picture(picture, force)
    select = channel_numbers(input_select, "--input-select")
    both = set_args or [], profiles or []
    with startup_display(quiet=as_json, summary=False):
        found = comparison.compare(
            _plan("a", a, both, set_a, profile_a),
            _plan("b", b or a, both, set_b, profile_b),
            _clips(on or [], seconds, salvage, select),
            within=within or (),
            names=(_name(a, set_a, profile_a), _name(b or a, set_b, profile_b)),
            seconds=seconds,
            tracker=tracker,
        )
        if picture is not None:
            found.draw(picture, force=force)
    print_json(found.report) if as_json else echo(str(found))
    if picture is not None and not as_json:
        echo(f"wrote {picture}")
    return limits_code(found.report.within, found.report.limits)


def _require_two(b: str | None, *overrides: list[str] | None) -> None:
    """One pipeline without overrides would be compared with itself."""
    if b is None and not any(overrides):
        text = "there is nothing to compare A with: name B, or give one of both --set-a or --set-b"
        raise typer.BadParameter(text, param_hint="B")


def _require_picture(picture: Path | None, force: bool) -> None:
    """Says what is wrong with the picture before anything is run."""
    if picture is not None:
        from voicegraph.graph.metrics import spectrogram_figure

        spectrogram_figure.require_matplotlib("leave out --picture")
        spectrogram_figure.require_picture_name(picture, force)


def _plan(
    side: str,
    pipeline: str,
    both: tuple[list[str], list[str]],
    overrides: list[str] | None,
    profiles: list[str] | None,
) -> Plan:
    """Loads and compiles one side; errors name its own options where those were meant."""
    from voicegraph.graph.errors import VoicegraphError

    try:
        loaded = load(pipeline, [*both[0], *(overrides or [])], [*both[1], *(profiles or [])])
        return loaded.compile()
    except VoicegraphError as error:
        common = {text.partition("=")[0] for text in both[0]}
        raise type(error)(_of_side(problem, side, common) for problem in error.problems) from None


def _of_side(problem: Problem, side: str, common: set[str]) -> Problem:
    """The problem with ``--set-a`` for ``--set``, unless it is about an override of both."""
    mark = problem.mark
    written = mark.source.removeprefix("--set ") if mark is not None else ""
    if written.partition("=")[0] in common:
        return problem
    pattern, own = r"--(set|profile) ", rf"--\1-{side} "
    if mark is not None:
        mark = replace(mark, source=re.sub(pattern, own, mark.source))
    return replace(problem, mark=mark, fix=problem.fix and re.sub(pattern, own, problem.fix))


def _name(pipeline: str, overrides: list[str] | None, profiles: list[str] | None) -> str:
    changes = [*(overrides or []), *(f"profile {name}" for name in profiles or [])]
    return f"{pipeline} with {', '.join(changes)}" if changes else pipeline


def _clips(
    given: list[str], seconds: float | None, salvage: bool, select: Sequence[int]
) -> list[Clip]:
    from voicegraph.graph.comparison import Clip
    from voicegraph.graph.files.sound.batch import sound_files

    if not given and select:
        raise typer.BadParameter("the bundled recording is mono", param_hint="--input-select")
    return [
        Clip.read(path, seconds=seconds, salvage=salvage, select=select)
        for path in sound_files(given)
    ]
