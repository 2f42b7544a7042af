"""Sounds in the folder of a run, as float32 WAV files under readable names."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import soundfile
from pydantic import TypeAdapter

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.atomic_write import atomic_write, write_text
from voicegraph.schemas.experiment_manifest import Manifest
from voicegraph.schemas.experiment_tables import CellRow, ValueRow

from ..store import Store
from .chosen import drawn_clips, worst_values

Keep = Literal["all", "report", "none"]
FOLDER = "audio"
_INDEX = "index.json"
_INDEX_OF = TypeAdapter(dict[str, str])
_LONGEST = 80


def keep_sounds(
    folder: Path,
    manifest: Manifest,
    cells: Sequence[CellRow],
    values: Sequence[ValueRow],
    store: Store,
    keep: Keep,
) -> None:
    """Writes the sounds that a run keeps, and removes those that it kept before and no longer does.

    Raises:
        OutputError: if one cannot be written.
        DamagedResultError: if one is damaged in the store.
    """
    wanted = _wanted(manifest, cells, values, keep)
    before = read_index(folder)
    made: dict[str, str] = {}
    for key, name in wanted.items():
        if not store.has(key):
            continue
        path = folder / FOLDER / name
        if before.get(key) != name or not path.is_file():
            _write(path, store, key)
        made[key] = name
    for name in set(before.values()) - set(made.values()):
        (folder / FOLDER / name).unlink(missing_ok=True)
    if made or before:
        text = json.dumps(dict(sorted(made.items())), indent=1, ensure_ascii=False)
        write_text(folder / FOLDER / _INDEX, text + "\n", force=True)


def read_index(folder: Path) -> dict[str, str]:
    """Key of a sound -> its file, relative to the folder ``audio``.

    Raises:
        InputError: if the index is damaged.
    """
    path = folder / FOLDER / _INDEX
    if not path.is_file():
        return {}
    try:
        found = _INDEX_OF.validate_json(path.read_bytes())
    except ValueError:
        text = f"{path} is damaged"
        fix = f"remove {path}, and run the experiment again"
        raise InputError(Problem("wrong-index", text, fix=fix)) from None
    inside = (folder / FOLDER).resolve()
    return {
        key: name for key, name in found.items() if (inside / name).resolve().is_relative_to(inside)
    }


def read_sound(
    folder: Path, index: Mapping[str, str], store: Store, key: str
) -> tuple[np.ndarray, int]:
    """A sound float32 ``[samples]`` and its rate, from the folder of the run or the store.

    Args:
        folder: of the run.
        index: as :func:`read_index` gives it, which takes a while.
        store: of the run.
        key: of the sound.

    Raises:
        KeyError: if neither has it.
    """
    name = index.get(key)
    if name is not None and (path := folder / FOLDER / name).is_file():
        audio, rate = soundfile.read(path, dtype="float32")
        return audio, int(rate)
    found = store.read(key, only=("audio",))
    return found.arrays["audio"], int(found.about["rate"])


def _wanted(
    manifest: Manifest, cells: Sequence[CellRow], values: Sequence[ValueRow], keep: Keep
) -> dict[str, str]:
    """Key -> name of the file."""
    if keep == "none":
        return {}
    rows = [row for row in cells if row.status == "done"]
    if keep == "report":
        clips = set(drawn_clips(manifest))
        seed = manifest.seeds[0] if manifest.seeds else 0
        worst = {
            (row.cell, row.clip, row.seed)
            for found in worst_values(manifest, values).values()
            for row in found
        }
        rows = [
            row
            for row in rows
            if (row.clip in clips and row.seed == seed) or (row.cell, row.clip, row.seed) in worst
        ]
    numbers = {cell.name: i for i, cell in enumerate(manifest.cells)}
    several = len(manifest.seeds) > 1
    found: dict[str, str] = {}
    for row in rows:
        for key, name in _names(row, numbers[row.cell], several).items():
            found.setdefault(key, name)
    return found


def _names(row: CellRow, number: int, several: bool) -> dict[str, str]:
    clip = file_name(row.clip)
    end = f"{clip}-{row.seed}.wav" if several else f"{clip}.wav"
    cell = f"{number:03d}-{file_name(row.cell)}"
    return {
        row.source: f"source/{clip}.wav",
        row.given: f"given/{row.given[:12]}-{end}",
        row.sound: f"{cell}/{end}",
    }


def file_name(text: str) -> str:
    """A text as a part of a file's name on every system; different texts stay different."""
    plain = re.sub(r"[^\w.=+-]+", "_", text).strip("._")[:_LONGEST]
    if plain == text:
        return plain
    return f"{plain}-{hashlib.sha256(text.encode('utf-8', 'backslashreplace')).hexdigest()[:6]}"


def _write(path: Path, store: Store, key: str) -> None:
    found = store.read(key, only=("audio",))
    with atomic_write(path, force=True) as temporary:
        soundfile.write(
            temporary, found.arrays["audio"], int(found.about["rate"]), "FLOAT", format="WAV"
        )
