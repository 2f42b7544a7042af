"""Hugging Face folders whose weights are split over several files, and the list of these."""

from __future__ import annotations

import json
from pathlib import Path

from .file_errors import RefusalError, damaged

SHARD_LISTS = ("model.safetensors.index.json", "pytorch_model.bin.index.json")
"""Names of the list, the better one first."""
_LIST_BYTES = 4 << 20
_MOST_SHARDS = 1000
_LONGEST_NAME = 200


def listed_shards(path: Path) -> dict[Path, list[str]]:
    """The files that a list names, all of which are beside it, and which tensors are in each.

    Args:
        path: of the list: JSON whose ``weight_map`` gives a file for each tensor.

    Raises:
        RefusalError: if it is no such list, names anything but files beside it, or one is missing.
        OSError: if it cannot be read.
    """
    shards: dict[Path, list[str]] = {}
    for tensor, name in _weight_map(path).items():
        shards.setdefault(path.with_name(_plain(path, name)), []).append(tensor)
    if len(shards) > _MOST_SHARDS:
        raise damaged(f"{path.name} names {len(shards)} files, more than any model has")
    missing = sorted(shard.name for shard in shards if not shard.is_file())
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise RefusalError(
            "shard-missing",
            f"a model in {len(shards)} files, of which {', '.join(missing[:3])}{more} "
            f"{'is' if len(missing) == 1 else 'are'} missing",
            f"download every file that {path.name} names into the folder",
        )
    return shards


def _weight_map(path: Path) -> dict[str, object]:
    with path.open("rb") as file:
        text = file.read(_LIST_BYTES + 1)
    try:
        found = json.loads(text) if len(text) <= _LIST_BYTES else None
    except (ValueError, RecursionError):
        found = None
    names = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(names, dict) or not names:
        raise damaged(f"{path.name} is no list of the files that hold the weights")
    return names


def _plain(path: Path, name: object) -> str:
    """A name of a file beside the list: not one that leads elsewhere."""
    if (
        not isinstance(name, str)
        or not name.endswith((".safetensors", ".bin"))
        or len(name) > _LONGEST_NAME
        or set(name) & set("/\\:\0")
    ):
        shown = str(name)[:80]
        raise damaged(f"{path.name} names {shown!r}, which is no file of weights beside it")
    return name
