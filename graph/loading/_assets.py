"""Assets of a pipeline: which are missing, and the files that the others name."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import Problems, VoicegraphError
from ..files.voice_library import entries, needs_of
from ._variables import REQUIRED
from .document import Document
from .library_files import meant_names, model_path, named_models
from .library_values import VOICE, voice_entry
from .source_map import KeyPath


def require_assets(document: Document, problems: Problems) -> frozenset[KeyPath]:
    """Reports the assets that have to be given; returns their paths."""
    unset: set[KeyPath] = set()
    assets = document.data.get("assets")
    for name, value in assets.items() if isinstance(assets, dict) else ():
        if value == REQUIRED:
            why, fix = _reason(document, name)
            text = f"the asset {name} is required, but was not given{why}"
            mark = document.source_map.value(("assets", name))
            problems.add("unset-asset", text, mark, fix=fix)
            unset.add(("assets", name))
    return frozenset(unset)


def asset_paths(
    document: Document, assets: Mapping[str, str | None], problems: Problems
) -> tuple[dict[str, str | None], frozenset[str]]:
    """The assets with absolute paths, and the names of those that name no file.

    Args:
        document: where they were written.
        assets: as written: paths, names of the library, or None.
        problems: gets the mistakes.
    """
    given: dict[str, str | None] = {}
    misnamed: set[str] = set()
    for name, value in assets.items():
        given[name] = None
        if value is None:
            continue
        try:
            given[name] = str(model_path(document.source_map, ("assets", name), value))
        except VoicegraphError as error:
            problems.found.extend(error.problems)
            misnamed.add(name)
    return given, frozenset(misnamed)


def _reason(document: Document, asset: str) -> tuple[str, str]:
    """Why the card of the voice does not give an asset, and what to type."""
    entry = voice_entry(document)
    usual = f"--set assets.{asset}=PATH"
    if entry is not None:
        needed = [need for need in needs_of(entry, entries()) if need.code.endswith("-encoder")]
        if needed:
            return f": {needed[0].message}", f"{needed[0].fix}\nor {usual}"
        return "", usual
    voice = _voice_text(document)
    meant = None if voice is None else meant_names(document.source_map, VOICE, voice)
    if meant is not None and not document.source_map.resolve(VOICE, voice or "").exists():
        return f"; its voice {voice!r} is no file, and {meant.message}", meant.fix or usual
    known = named_models(asset)
    if len(known) == 1:
        return "", f"--set assets.{asset}={known[0]}  (of the library), or a file"
    return "", usual


def _voice_text(document: Document) -> str | None:
    names = document.data.get("vars")
    value = names.get("voice") if isinstance(names, dict) else None
    return value if isinstance(value, str) else None
