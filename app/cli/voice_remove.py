"""``voicegraph voice remove``: takes voices out of the library."""

from __future__ import annotations

from ._options import JsonOption
from ._output import echo, print_json
from ._voice_library_options import AnyhowOption, EntriesArg
from .voice import voice


@voice.command("remove")
def voice_remove(
    names: EntriesArg, force: AnyhowOption = False, as_json: JsonOption = False
) -> None:
    """Remove voices, encoders and pitch models from the library, with their files."""
    from voicegraph.app.voice_library import remove

    report = remove(names, force)
    if as_json:
        print_json(report)
        return
    lines = [f"{name} was removed" for name in report.removed]
    lines += [f"{name} has no encoder now" for name in report.orphaned]
    echo("\n".join(lines))
