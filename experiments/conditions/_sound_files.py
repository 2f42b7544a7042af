"""Sound files that a condition mixes in: names with patterns, and stretches of random files."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import soxr
from pydantic import field_validator

from voicegraph.graph.files.sound.folder_contents import Content, content_of
from voicegraph.graph.files.sound.reader import AudioReader
from voicegraph.graph.node_params import FilePath

from ..metric import Params

_WILD = set("*?[")
_AT_ONCE = 32
"""Files that a process keeps decoded."""


class SoundFiles(Params):
    """Sounds that are mixed in."""

    files: tuple[FilePath, ...]
    """Sound files, folders, or patterns such as ``babble/*.flac``."""

    @field_validator("files", mode="before")
    @classmethod
    def _listed(cls, value: Any) -> Any:
        return (value,) if isinstance(value, (str, Path)) else value

    def located(self, folder: Path) -> Self:
        """Params with the files that the patterns match, sorted."""
        found = [path for pattern in self.files for path in _matches(folder, pattern)]
        return self.model_copy(update={"files": tuple(dict.fromkeys(found))})


def _matches(folder: Path, pattern: Path) -> list[Path]:
    whole = (folder / pattern.expanduser()).absolute()
    if _WILD & set(str(pattern)):
        parts = whole.parts
        first = next(at for at, part in enumerate(parts) if _WILD & set(part))
        found = [p for p in Path(*parts[:first]).glob("/".join(parts[first:])) if p.is_file()]
        if not found:
            raise ValueError(f"no file is called {whole}")
        return sorted(found)
    if whole.is_dir():
        inside = (path for path in sorted(whole.rglob("*")) if path.is_file())
        if not (held := [path for path in inside if content_of(path) is Content.SOUND]):
            raise ValueError(f"there is no sound file in {whole}")
        return held
    if not whole.is_file():
        raise ValueError(f"there is no file {whole}")
    return [whole]


def random_stretch(
    files: Sequence[Path], samples: int, rate: int, random: np.random.Generator
) -> np.ndarray:
    """A stretch of a random file, from a random place on, repeated if the file is shorter.

    Returns:
        float32 ``[samples]``, mono, at ``rate`` Hz.
    """
    sound = _decoded(files[int(random.integers(len(files)))], rate)
    start = int(random.integers(max(1, len(sound) - samples + 1)))
    return np.resize(sound[start:], samples) if len(sound) < samples else sound[start:][:samples]


@functools.lru_cache(maxsize=_AT_ONCE)
def _decoded(path: Path, rate: int) -> np.ndarray:
    with AudioReader(path) as reader:
        whole = np.concatenate(list(reader), axis=1).mean(0, dtype=np.float32)
        given = float(reader.type.rate)
    return whole if given == rate else soxr.resample(whole, given, rate)
