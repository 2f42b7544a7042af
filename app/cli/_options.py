"""Factories of arguments and options, those that several commands share, and how they load."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from voicegraph.graph.startup_stages import begin_stage

from ._completion import complete_nodes, complete_pipelines, complete_profiles, complete_set
from ._startup import import_torch

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline


def argument(metavar: str, text: str, complete: Callable[..., list[str]] | None = None) -> Any:
    """A positional argument, for ``Annotated``.

    Args:
        metavar: its name in the help text.
        text: the help text.
        complete: shell completion.
    """
    return typer.Argument(metavar=metavar, help=text, autocompletion=complete)


def option(
    metavar: str | None,
    text: str,
    *names: str,
    panel: str | None = None,
    complete: Callable[..., list[str]] | None = None,
    least: float | None = None,
    most: float | None = None,
    envvar: str | None = None,
) -> Any:
    """An option with a value, for ``Annotated``.

    Args:
        metavar: the value's name in the help text; None takes that of the type.
        text: the help text.
        names: as typed, such as ``--set``; by default made of the parameter's name.
        panel: heading in the help text under which it is listed.
        complete: shell completion.
        least: least value.
        most: greatest value.
        envvar: environment variable that gives the value, too.
    """
    return typer.Option(
        *names,
        metavar=metavar,
        help=text,
        rich_help_panel=panel,
        autocompletion=complete,
        min=least,
        max=most,
        envvar=envvar,
    )


def flag(name: str, text: str, panel: str | None = None, short: str | None = None) -> Any:
    """A switch without a value, ``--on`` or ``--on/--off``, for ``Annotated``."""
    names = (name, short) if short else (name,)
    return typer.Option(*names, help=text, rich_help_panel=panel)


_PIPELINE = "A pipeline file (.yaml), or the name of a bundled pipeline."
_SET = (
    "Override a value of the file: `nodes.f0.use=f0.dio`, `vars.transpose=12`. The value is YAML; "
    "relative file names start from the current folder. May be repeated."
)

PipelineArg = Annotated[str, argument("PIPELINE", _PIPELINE, complete_pipelines)]
"""``pipeline: PipelineArg``: a path or a bundled name."""

OptionalPipelineArg = Annotated[str | None, argument("PIPELINE", _PIPELINE, complete_pipelines)]
"""``pipeline: OptionalPipelineArg = None``."""

PipelinesArg = Annotated[
    list[str],
    argument(
        "PIPELINE", "Pipeline files (.yaml), or names of bundled pipelines.", complete_pipelines
    ),
]
"""``pipelines: PipelinesArg``: one or more of them."""

SetOption = Annotated[list[str] | None, option("PATH=VALUE", _SET, "--set", complete=complete_set)]
"""``set_args: SetOption = None``: overrides as typed, for :func:`load`."""

ProfileOption = Annotated[
    list[str] | None,
    option(
        "NAME",
        "Apply a set of overrides from the file's `profiles`. May be repeated.",
        "--profile",
        complete=complete_profiles,
    ),
]
"""``profiles: ProfileOption = None``: names of profiles, for :func:`load`."""

JsonOption = Annotated[bool, flag("--json", "Print JSON for programs instead of text.")]
"""``as_json: JsonOption = False``."""

ForceOption = Annotated[bool, flag("--force", "Overwrite files that exist.")]
"""``force: ForceOption = False``."""

AllowWriteOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--allow-write",
        metavar="FOLDER",
        help="Let nodes of the pipeline file write files in this folder and below. What --set asks "
        "for needs no permission. May be repeated.",
        exists=True,  # a typing error must not allow another folder
        file_okay=False,
    ),
]
"""``allow_write: AllowWriteOption = None``."""

ConfineOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--confine",
        metavar="FOLDER",
        help="For pipelines and overrides that are not your own: files are read below this folder "
        "and from voicegraph itself only, and written below --allow-write only, whoever names "
        "them. May be repeated.",
        file_okay=False,  # it need not exist: then nothing is in it
    ),
]
"""``confine: ConfineOption = None``, for :func:`load`."""

NodeArg = Annotated[
    str | None,
    argument("NODE", "A node, as family.name, or a family. Default: all nodes.", complete_nodes),
]
"""``name: NodeArg = None``: a registered node."""


def load(
    pipeline: str,
    set_args: Sequence[str] | None = None,
    profiles: Sequence[str] | None = None,
    confine: Sequence[Path] | None = None,
) -> Pipeline:
    """Loads the pipeline that the arguments of a command name.

    Raises:
        PipelineError: with every mistake found.
    """
    import_torch()
    from voicegraph.graph.pipeline import Pipeline

    begin_stage(f"reading {pipeline}")
    return Pipeline.load(
        pipeline,
        profiles=tuple(profiles or ()),
        set_args=tuple(set_args or ()),
        confined=confine,
    )
