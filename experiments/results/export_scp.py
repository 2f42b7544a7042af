"""A run as lists of sounds in Kaldi's form, ``utterance path``, which VERSA reads.

Each cell is a folder with ``pred.scp`` (what the system gave), ``gt.scp`` (the clean clip), of a
system with a target ``target.scp`` (the target's own speech, for measures of the speaker), and
``text`` if there are transcripts. In voice conversion the clean clip is no recording of the target:
measures that compare with it hear what the conversion changed.

Source: D. Povey and others, "The Kaldi speech recognition toolkit", 2011.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path

import soundfile

from voicegraph.graph.errors import InputError, Problem
from voicegraph.graph.files.atomic_write import atomic_write, write_text
from voicegraph.schemas.experiment_tables import CellRow

from ._audio import file_name
from .run import Run


def export_scp(run: Run, folder: Path, *, force: bool = False) -> list[Path]:
    """Writes the lists and, as float32 WAV, the sounds; the lists.

    Raises:
        InputError: if no sound of the run is there any more.
        OutputError: if a file exists and ``force`` is not set, or cannot be written.
    """
    rows: dict[str, list[CellRow]] = defaultdict(list)
    for row in run.cell_rows():
        if row.status == "done":
            rows[row.cell].append(row)
    sounds = _Sounds(run, folder / "wav", force)
    written = []
    for number, cell in enumerate(run.manifest.cells):
        if cell.name in rows:
            place = folder / f"{number:03d}-{file_name(cell.name)}"
            for name, lines in _lists(run, rows[cell.name], cell.target, sounds).items():
                path = place / name
                write_text(path, "".join(f"{line}\n" for line in lines), force=force)
                written.append(path)
    if not written:
        text = f"{run.folder} has no finished cell whose sounds could be listed"
        raise InputError(Problem("no-sound", text, fix="voicegraph experiment run"))
    return written


def _lists(
    run: Run, rows: Sequence[CellRow], target: str | None, sounds: _Sounds
) -> Mapping[str, list[str]]:
    """The lines of each list."""
    several = len(run.manifest.seeds) > 1
    found: dict[str, list[str]] = {"pred.scp": [], "gt.scp": []}
    facts = run.manifest.targets.get(target or "")
    speech = facts.sounds if facts else ()
    texts = {clip.name: clip.columns.get("transcript") for clip in run.manifest.clips}
    for i, row in enumerate(sorted(rows, key=lambda row: (row.clip, row.seed))):
        name = file_name(row.clip) + (f"-{row.seed}" if several else "")
        found["pred.scp"].append(f"{name} {sounds.write(row.sound)}")
        found["gt.scp"].append(f"{name} {sounds.write(row.source)}")
        if speech:
            line = f"{name} {sounds.write(speech[i % len(speech)])}"
            found.setdefault("target.scp", []).append(line)
        if text := texts.get(row.clip):
            found.setdefault("text", []).append(f"{name} {' '.join(text.split())}")
    return found


class _Sounds:
    """Writes each sound once, under its key."""

    def __init__(self, run: Run, folder: Path, force: bool) -> None:
        self._run = run
        self._folder = folder
        self._force = force
        self._written: dict[str, Path] = {}

    def write(self, key: str) -> Path:
        """The absolute path of a sound.

        Raises:
            InputError: if it is no longer there.
        """
        if key not in self._written:
            path = (self._folder / f"{key[:32]}.wav").absolute()
            try:
                audio, rate = self._run.sound(key)
            except KeyError:
                text = f"sounds of {self._run.folder} are no longer in the store "
                text += str(self._run.manifest.store)
                fix = "run the experiment again"
                raise InputError(Problem("no-sound", text, fix=fix)) from None
            with atomic_write(path, force=self._force) as temporary:
                soundfile.write(temporary, audio, rate, "FLOAT", format="WAV")
            self._written[key] = path
        return self._written[key]
