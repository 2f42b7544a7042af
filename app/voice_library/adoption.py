"""Gives voices without an encoder one that has been added."""

from __future__ import annotations

from collections.abc import Iterable

from voicegraph.graph.files.voice_library import entries

from .encoder_choice import with_choice
from .storage import change


def adopt(added: Iterable[str]) -> dict[str, str]:
    """Looks up the encoder of every voice that has none; voice -> encoder, of those that got one.

    Args:
        added: names of what was added; nothing is done unless an encoder is among them.
    """
    library = entries()
    if not any(library[name].card.kind.endswith("encoder") for name in added if name in library):
        return {}
    found: dict[str, str] = {}
    for name, entry in library.items():
        encoder = entry.card.encoder
        if entry.bundled or encoder is None or encoder.name in library:
            continue
        if encoder.chosen_by == "bundled":
            continue
        chosen = with_choice(encoder, library)
        if chosen.name is not None:
            change(name, lambda card, chosen=chosen: card.model_copy(update={"encoder": chosen}))
            found[name] = chosen.name
    return found
