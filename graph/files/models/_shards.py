"""Hugging Face folders with weights in several files (shards), listed in a JSON index."""

from __future__ import annotations

import json
from pathlib import Path

from ...regular_file import open_regular
from ..file_errors import FormatError, damaged

_LIST_BYTES = 4 << 20
_MOST_SHARDS = 1000
_LONGEST_NAME = 200


def listed_shards(path: Path) -> dict[Path, list[str]]:
    """The files that a list names, and the tensors in each of them.

    Args:
        path: of the list: JSON whose ``weight_map`` gives a file for each tensor.

    Raises:
        FormatError: if it is no such list, a file is missing, or a name leads out of the folder.
        OSError: if it cannot be read.
    """
    shards: dict[Path, list[str]] = {}
    for tensor, name in _weight_map(path).items():
        shards.setdefault(path.with_name(_checked_name(path, name)), []).append(tensor)
    if len(shards) > _MOST_SHARDS:
        raise damaged(f"{path.name} names {len(shards)} files, more than any model has")
    missing = sorted(shard.name for shard in shards if not shard.is_file())
    if missing:
        more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
        raise FormatError(
            "shard-missing",
            f"a model in {len(shards)} files, of which {', '.join(missing[:3])}{more} "
            f"{'is' if len(missing) == 1 else 'are'} missing",
            f"download every file that {path.name} names into the folder",
        )
    return shards


def _weight_map(path: Path) -> dict[str, object]:
    with open_regular(path) as file:
        text = file.read(_LIST_BYTES + 1)
    try:
        found = json.loads(text) if len(text) <= _LIST_BYTES else None
    except (ValueError, RecursionError):
        found = None
    names = found.get("weight_map") if isinstance(found, dict) else None
    if not isinstance(names, dict) or not names:
        raise damaged(f"{path.name} does not list the files of the weights")
    return names


def _checked_name(path: Path, name: object) -> str:
    """Checks that a name is that of a weights file in the same folder."""
    if (
        not isinstance(name, str)
        or not name.endswith((".safetensors", ".bin"))
        or len(name) > _LONGEST_NAME
        or set(name) & set("/\\:\0")
    ):
        shown = str(name)[:80]
        raise damaged(f"{path.name} names {shown!r}, which is not a weights file in its folder")
    return name
