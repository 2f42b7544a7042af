"""Intermediate files of an evaluation, named so that nothing is computed twice."""

from __future__ import annotations

import functools
import hashlib
import inspect
import json
import re
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph.pipeline import Plan

from ._observation import VERSION
from .clips import Clip


@dataclass(frozen=True, slots=True)
class Store:
    """Paths in the working folder.

    Attributes:
        root: the folder.
    """

    root: Path

    def source(self, clip: Clip, snr_db: float | None) -> Path:
        """The clip as the pipelines get it, WAV in float32."""
        noise = "clean" if snr_db is None else f"{snr_db:g}dB"
        return self.root / "clips" / noise / f"{clip.name}-{clip.seconds:g}s.wav"

    def held_out(self, voice: str, number: int) -> Path:
        """Held-out speech of a target voice."""
        return self.root / "targets" / voice / f"{number:04d}.flac"

    def converted(self, title: str, identity: str, clip: Clip) -> Path:
        """The converted clip."""
        return self.root / "made" / f"{_plain(title)}-{identity}" / f"{clip.name}.flac"

    def observed(self, sound: Path) -> Path:
        """The observation of a file in this folder."""
        inside = sound.relative_to(self.root)
        return self.root / f"observed-{VERSION}" / inside.with_suffix(".npz")

    def cost(self, identity: str) -> Path:
        """Computing time of a pipeline."""
        return self.root / "costs" / f"{identity}.json"


def identity(plan: Plan, *more: object) -> str:
    """A hash of everything that decides the output of a plan.

    That is the plan, with the contents of the files that it reads, and the code of its nodes.
    """
    folders = sorted({Path(inspect.getfile(type(planned.node))).parent for planned in plan.nodes})
    code = [_of_code(folder) for folder in folders]
    return _digest([plan.hash, code, list(map(str, more))])


@functools.cache
def _of_code(folder: Path) -> str:
    return _digest([path.read_text(encoding="utf-8") for path in sorted(folder.glob("*.py"))])


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:12]


def _plain(title: str) -> str:
    """A title as part of a file name."""
    return re.sub(r"[^A-Za-z0-9]+", "-", title).strip("-")
