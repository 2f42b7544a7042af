"""Folders of models as Hugging Face writes them: of one model, or of its download cache."""

from __future__ import annotations

from pathlib import Path

WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Names of the weights in a folder, in order of preference."""
SHARD_LISTS = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""Names of the list of weights in several files, in order of preference."""
_SNAPSHOTS = "snapshots"


def model_folder(path: Path) -> Path:
    """The folder with the files of a model.

    Args:
        path: a folder of a model, or of Hugging Face's cache (``models--OWNER--NAME``), which holds
            the files of each revision in ``snapshots/REVISION``.

    Returns:
        The one snapshot with weights, for a folder of the cache; else the path itself.
    """
    found = snapshots_with_weights(path)
    return found[0] if len(found) == 1 else path


def snapshots_with_weights(path: Path) -> list[Path]:
    """The snapshots of a folder of Hugging Face's cache that hold weights, by name.

    Empty for any other folder, and for one that cannot be read.
    """
    folder = path if path.name == _SNAPSHOTS else path / _SNAPSHOTS
    try:
        return sorted(entry for entry in folder.iterdir() if weights_in(entry) is not None)
    except OSError:
        return []


def weights_in(folder: Path) -> Path | None:
    """The weights of a model's folder, or the list of their files; None if there are none."""
    named = (folder / name for name in (*WEIGHTS, *SHARD_LISTS))
    return next((path for path in named if path.is_file()), None)
