"""``voicegraph sdk build``: the C library with its header and examples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ._completion import complete_pipelines
from ._options import ForceOption, JsonOption, SetOption, argument, option
from ._output import CommandGroup, UsageError, echo, print_json
from ._startup import import_torch
from .app import app

FolderArg = Annotated[Path, argument("DIR", "The folder to write to.")]
LadspaOption = Annotated[
    list[str] | None,
    option(
        "PIPELINE",
        "Compile a LADSPA plug-in that runs this pipeline; `--set` holds for it. May be repeated.",
        "--ladspa",
        complete=complete_pipelines,
    ),
]

sdk = CommandGroup(help="The C interface, for programs in other languages.")
app.add_typer(sdk, name="sdk")


@sdk.command()
def build(
    folder: FolderArg,
    ladspa: LadspaOption = None,
    set_args: SetOption = None,
    force: ForceOption = False,
    as_json: JsonOption = False,
) -> None:
    """Build the C library, and write it with its header, host programs and LADSPA plug-ins.

    Needs a C compiler and the extra `sdk`. What is built runs with the Python that builds it.
    """
    if set_args and not ladspa:
        raise UsageError("--set is for pipelines of --ladspa, and none is named")
    from voicegraph.app.sdk.build import build_sdk
    from voicegraph.schemas.sdk_build import SdkBuildReport

    plugins = []
    if ladspa:
        import_torch()
        from voicegraph.app.sdk.ladspa import plugins_of

        plugins = plugins_of(ladspa, set_args or ())
    made = build_sdk(folder, force, plugins)
    if as_json:
        print_json(
            SdkBuildReport(
                folder=str(made.folder),
                library=str(made.library),
                files=list(made.files),
                plugins=list(made.plugins),
            )
        )
        return
    echo(f"{made.library}")
    if made.plugins:
        echo(f"LADSPA plug-ins in {made.folder / 'ladspa'}: {', '.join(made.plugins)}")
    echo(f"{len(made.files)} files in {made.folder}; README.md says how to compile with them")
