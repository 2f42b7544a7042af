"""The files that the demo writes into its folder."""

from __future__ import annotations

import filecmp
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from voicegraph.graph.errors import OutputError, Problem

from ._demo_conversions import Conversion


@dataclass(frozen=True, slots=True)
class DemoFiles:
    """Paths of what the demo writes.

    Attributes:
        folder: the folder for all files.
    """

    folder: Path

    @property
    def original(self) -> Path:
        """A copy of the recording."""
        return self.folder / "original.flac"

    @property
    def picture(self) -> Path:
        """The spectrograms of all files."""
        return self.folder / "demo.png"

    def converted(self, conversion: Conversion) -> Path:
        """The output of a conversion."""
        return self.folder / f"{conversion.name}.wav"

    def prepare(self, conversions: Iterable[Conversion], force: bool) -> None:
        """Copies the recording into the folder, which is made if needed.

        The copy of the recording identifies the folder of an earlier demo, whose files may be
        replaced.

        Raises:
            OutputError: if the folder cannot be made, or if it holds other files of these names and
                ``force`` is not set.
        """
        from voicegraph.graph.files.atomic_write import atomic_write
        from voicegraph.graph.files.sound import bundled_recording

        recording, original = bundled_recording.path(), self.original
        earlier_demo = original.is_file() and filecmp.cmp(original, recording, shallow=False)
        targets = [original, self.picture, *(self.converted(one) for one in conversions)]
        existing = [path for path in targets if path.exists()]
        if existing and not (earlier_demo or force):
            text = f"{existing[0]} exists, and is not from an earlier demo"
            fix = f"voicegraph demo {self.folder}-2    (or --force replaces it)"
            raise OutputError(Problem("exists", text, fix=fix))
        with atomic_write(original, force=True) as temporary:
            shutil.copyfile(recording, temporary)
