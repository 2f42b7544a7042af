"""``voicegraph sdk build``: the C library with its header and examples."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from ._options import ForceOption, JsonOption, argument
from ._output import CommandGroup, echo, print_json
from .app import app

FolderArg = Annotated[Path, argument("DIR", "The folder to write to.")]

sdk = CommandGroup(help="The C interface, for programs in other languages.")
app.add_typer(sdk, name="sdk")


@sdk.command()
def build(folder: FolderArg, force: ForceOption = False, as_json: JsonOption = False) -> None:
    """Build the C library, and write it with its header, host programs and a LADSPA plug-in.

    Needs a C compiler and the extra `sdk`. What is built runs with the Python that builds it.
    """
    from voicegraph.app.sdk.build import build_sdk
    from voicegraph.schemas.sdk_build import SdkBuildReport

    made = build_sdk(folder, force)
    if as_json:
        print_json(
            SdkBuildReport(
                folder=str(made.folder), library=str(made.library), files=list(made.files)
            )
        )
        return
    echo(f"{made.library}")
    echo(f"{len(made.files)} files in {made.folder}; README.md says how to compile with them")
