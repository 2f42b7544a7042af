"""What the demo converts its recording with: the voice changer, and each voice that comes along."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from voicegraph.graph.errors import Problem, VoicegraphError

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline

CHANGER = "world"
SPEAKS = "default"


@dataclass(frozen=True, slots=True)
class Take:
    """One conversion.

    Attributes:
        name: of the file that it becomes.
        pipeline: name of a shipped pipeline.
        settings: overrides, before those that were typed.
        subject: what it is, for the picture.
    """

    name: str
    pipeline: str
    settings: tuple[str, ...]
    subject: str

    def load(self, typed: Sequence[str], profiles: Sequence[str]) -> Pipeline:
        """Its pipeline.

        Raises:
            PipelineError: with every mistake found.
        """
        from .options import load

        return load(self.pipeline, (*self.settings, *typed), profiles)


def takes() -> list[Take]:
    """All there are."""
    changer = Take(CHANGER, CHANGER, (), "voice changer without weights")
    return [changer, *(_spoken(path) for path in voices())]


def voices() -> list[Path]:
    """Files of the voices that come along, by name."""
    root = Path(str(importlib.resources.files("voicegraph.pipelines"))) / "voices"
    return sorted(root.glob("*.safetensors"))


def _spoken(path: Path) -> Take:
    return Take(path.stem, SPEAKS, (f"vars.voice={path}",), "voice that comes along")


def chosen(only: Sequence[str]) -> list[Take]:
    """Those that are named; all, if none is.

    Raises:
        VoicegraphError: if there is no such take.
    """
    there = takes()
    unknown = [name for name in only if name not in {take.name for take in there}]
    if unknown:
        names = ", ".join(take.name for take in there)
        text = f"the demo has no take called {unknown[0]}; it has {names}"
        raise VoicegraphError(Problem("no-such-take", text, fix=f"--only {there[0].name}"))
    return [take for take in there if not only or take.name in only]


def complete_takes(incomplete: str) -> list[str]:
    """For the shell."""
    return [take.name for take in takes() if take.name.startswith(incomplete)]
