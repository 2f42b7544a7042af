"""Names of the library of voices as arguments of commands that take model files."""

from __future__ import annotations

from pathlib import Path


def named_file(path: Path, key: str = "file") -> Path:
    """The file that an argument means: by its path, or by a name in the library of voices.

    Args:
        path: as typed.
        key: ``index`` takes the index of a voice.

    Raises:
        PipelineError: if there are both a file and a voice of that name.
        InputError: if ``library:NAME`` names nothing, or a card cannot be read.
    """
    from voicegraph.graph.loading.library_files import library_entry, model_path
    from voicegraph.graph.loading.source_map import SourceMap

    places, text = SourceMap("the command line"), str(path)
    if library_entry(places, (key,), text) is None:
        return path  # as it was typed, for messages
    return model_path(places, (key,), text)
