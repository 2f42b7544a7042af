"""Headers of content encoders, read once for each version of a file.

The compiler asks a node several times for spans that depend on the encoder's sizes, and a node
keeps nothing before ``load``. So the sizes are cached here, by path, sizes and times of the files.
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

from voicegraph.graph.files.models import model_folder
from voicegraph.nodes.content.encoder_file import open_encoder
from voicegraph.nodes.content.hubert_sizes import HubertSizes

_Stamp = tuple[tuple[str, int, int], ...]


def encoder_sizes(path: Path) -> HubertSizes:
    """The sizes of the encoder in a file or in a folder of Hugging Face.

    Raises:
        WeightsError: if it is no encoder, damaged, or of another architecture.
    """
    return _read(path, _stamp(path))


def _stamp(path: Path) -> _Stamp:
    """Name, size in bytes and time in nanoseconds of the file, or of all files of the folder."""
    try:
        files = sorted(model_folder(path).iterdir()) if path.is_dir() else [path]
        stats = [(file.name, file.stat()) for file in files]
    except OSError:
        return ()  # opening it says what is wrong
    return tuple((name, stat.st_size, stat.st_mtime_ns) for name, stat in stats)


@lru_cache(maxsize=16)
def _read(path: Path, _version: _Stamp) -> HubertSizes:
    return open_encoder(path).sizes
