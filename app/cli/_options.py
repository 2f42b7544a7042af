"""Arguments and options that several commands share, and how a pipeline is loaded from them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from ._completion import complete_nodes, complete_pipelines, complete_profiles, complete_set

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline

PipelineArg = Annotated[
    str,
    typer.Argument(
        metavar="PIPELINE",
        help="A pipeline file (.yaml), or the name of a shipped pipeline.",
        autocompletion=complete_pipelines,
        show_default=False,
    ),
]
"""``pipeline: PipelineArg``: a path or a shipped name."""

PipelinesArg = Annotated[
    list[str],
    typer.Argument(
        metavar="PIPELINE",
        help="Pipeline files (.yaml), or names of shipped pipelines.",
        autocompletion=complete_pipelines,
        show_default=False,
    ),
]
"""``pipelines: PipelinesArg``: one or more of them."""

SetOption = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="PATH=VALUE",
        help="Override a value of the file: `nodes.f0.use=f0.dio`, `vars.transpose=12`. The value "
        "is YAML; relative file names count from here. May be repeated.",
        autocompletion=complete_set,
        show_default=False,
    ),
]
"""``set_args: SetOption = None``: overrides as typed, for :func:`load`."""

ProfileOption = Annotated[
    list[str] | None,
    typer.Option(
        "--profile",
        metavar="NAME",
        help="Apply a set of overrides that the file offers under `profiles`. May be repeated.",
        autocompletion=complete_profiles,
        show_default=False,
    ),
]
"""``profiles: ProfileOption = None``: names of profiles, for :func:`load`."""

JsonOption = Annotated[
    bool, typer.Option("--json", help="Print JSON for programs instead of text for people.")
]
"""``as_json: JsonOption = False``."""

ForceOption = Annotated[
    bool, typer.Option("--force", help="Overwrite files that exist.", show_default=False)
]
"""``force: ForceOption = False``."""

NodeArg = Annotated[
    str | None,
    typer.Argument(
        metavar="NODE",
        help="A node, as family.name, or a family; without it, all nodes are listed.",
        autocompletion=complete_nodes,
        show_default=False,
    ),
]
"""``name: NodeArg = None``: a registered node."""


def load(
    pipeline: str, set_args: Sequence[str] | None = None, profiles: Sequence[str] | None = None
) -> Pipeline:
    """The pipeline that the arguments of a command name.

    Raises:
        PipelineError: with every mistake found.
    """
    from ._startup import import_torch

    import_torch()
    from voicegraph.graph.pipeline import Pipeline

    return Pipeline.load(pipeline, profiles=tuple(profiles or ()), set_args=tuple(set_args or ()))
