"""What the demo converts its recording with: the pipeline `world`, and each bundled voice."""

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
"""The pipeline that changes a voice without weights."""
NEURAL = "default"
"""The pipeline that speaks with a bundled voice."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """One conversion of the demo's recording.

    Attributes:
        name: the name of the file that it writes, without its ending.
        pipeline: the name of a bundled pipeline.
        settings: overrides that come before those on the command line.
        subject: a description for the summary and the picture.
    """

    name: str
    pipeline: str
    settings: tuple[str, ...]
    subject: str

    def load(self, set_args: Sequence[str], profiles: Sequence[str]) -> Pipeline:
        """Loads the pipeline of this conversion.

        Raises:
            PipelineError: with every mistake found.
        """
        from ._options import load

        return load(self.pipeline, (*self.settings, *set_args), profiles)


def conversions() -> list[Conversion]:
    """All conversions that the demo offers."""
    changer = Conversion(CHANGER, CHANGER, (), "voice changer without weights")
    return [changer, *(_neural(path) for path in bundled_voices())]


def bundled_voices() -> list[Path]:
    """The voice files in the package, sorted by name."""
    root = Path(str(importlib.resources.files("voicegraph.pipelines"))) / "voices"
    return sorted(root.glob("*.safetensors"))


def _neural(path: Path) -> Conversion:
    return Conversion(path.stem, NEURAL, (f"vars.voice={path}",), "bundled voice")


def select(names: Sequence[str]) -> list[Conversion]:
    """The conversions with these names; all of them if there are no names.

    Raises:
        VoicegraphError: if a name is unknown.
    """
    known = conversions()
    unknown = [name for name in names if name not in {one.name for one in known}]
    if unknown:
        listed = ", ".join(one.name for one in known)
        text = f"the demo has no conversion called {unknown[0]}; it has {listed}"
        raise VoicegraphError(Problem("no-such-take", text, fix=f"--only {known[0].name}"))
    return [one for one in known if not names or one.name in names]


def complete_conversions(incomplete: str) -> list[str]:
    """Shell completion of ``--only``."""
    return [one.name for one in conversions() if one.name.startswith(incomplete)]
