"""One observer hears one sound."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .. import observers
from ..task import Result, Results
from .files import FileHash, moved, outside_package, require_same


@dataclass(frozen=True, slots=True)
class ObserveWork:
    """What an observer says about a sound.

    Attributes:
        observer: its name, with params as JSON; files by absolute names.
        sound: key of the sound.
        contents: the files that its params name.
    """

    observer: str
    sound: str
    contents: tuple[FileHash, ...] = ()

    def files(self) -> Mapping[Path, str]:
        """See :class:`~voicegraph.experiments.task.Work`."""
        return outside_package(self.contents)

    def with_files(self, places: Mapping[Path, Path]) -> ObserveWork:
        """See :class:`~voicegraph.experiments.task.Work`."""
        if not self.contents:
            return self
        names = moved(self.contents, places)
        contents = tuple((names.get(name, name), sha256) for name, sha256 in self.contents)
        cls, params = observers.parse(self.observer)
        text = observers.spell(cls.name, params.with_files(places))
        return replace(self, observer=text, contents=contents)

    def run(self, needs: Results) -> Result:
        """The observer's arrays; none, and ``not_measured`` with the reason, if it says nothing.

        Raises:
            VoicegraphError: if a file has changed, or the observer cannot be loaded.
        """
        require_same(self.contents)
        sound = needs.read(self.sound)
        return observers.hear(self.observer, sound.arrays["audio"], int(sound.about["rate"]))
