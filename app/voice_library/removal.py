"""Removes voices and models from the library."""

from __future__ import annotations

from collections.abc import Sequence

from voicegraph.graph.errors import OutputError, Problem
from voicegraph.graph.files.voice_library import entries, require, unreadable
from voicegraph.schemas.voice_library import RemoveReport

from . import storage


def remove(names: Sequence[str], force: bool = False) -> RemoveReport:
    """Removes entries, all or none.

    Args:
        names: of voices, encoders and pitch models.
        force: remove encoders that voices use, too.

    Raises:
        InputError: if one does not exist.
        OutputError: if one is bundled, or an encoder that voices use.
    """
    broken = {one.name for one in unreadable()}
    wanted = list(dict.fromkeys(name if name in broken else require(name).name for name in names))
    for name in wanted:
        if name not in broken:
            storage.refuse_bundled(require(name), "cannot be removed")
    users = {
        voice: entry.card.encoder.name
        for voice, entry in entries().items()
        if entry.card.encoder is not None and entry.card.encoder.name in wanted
    }
    orphaned = sorted(voice for voice in users if voice not in wanted)
    if orphaned and not force:
        used = ", ".join(orphaned)
        text = f"{users[orphaned[0]]} is the encoder of {used}, which could not speak without it"
        fix = f"voicegraph voice remove {' '.join(wanted)} --force"
        raise OutputError(Problem("encoder-used", text, fix=fix))
    for name in wanted:
        storage.discard(name) if name in broken else storage.remove(name)
    return RemoveReport(removed=wanted, orphaned=orphaned)
