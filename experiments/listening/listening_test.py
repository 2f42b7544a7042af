"""What a listening test asks: trials drawn blindly from a run, and names that say nothing."""

from __future__ import annotations

import csv
import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Literal

from voicegraph.graph.errors import InputError, PipelineError, Problem
from voicegraph.schemas.experiment_manifest import CellFacts, Manifest
from voicegraph.schemas.experiment_tables import CellRow

Kind = Literal["mos", "ab", "abx", "mushra"]
KINDS: tuple[Kind, ...] = ("mos", "ab", "abx", "mushra")
MOST_IN_A_TRIAL = 12
"""Sounds on a page, hidden reference and anchor included: ITU-R BS.1534-3, section 5.1."""
REFERENCE, ANCHOR = "reference", "anchor35"
"""What webMUSHRA calls the hidden reference and the anchor low-passed at 3.5 kHz."""


@dataclass(frozen=True, slots=True)
class Stimulus:
    """A sound of a trial: a line of ``key.csv``.

    Attributes:
        test: which test it belongs to, as in the column ``session_test_id`` of ratings.
        kind: of the test.
        trial: the page.
        stimulus: its name in the ratings.
        file: name of its sound.
        role: ``system``, ``baseline``, ``reference`` or ``anchor``.
        cell: the cell that made it; empty for reference and anchor.
        clip: the clip.
        speaker: who speaks.
        seed: of noise and pipeline.
        key: of the sound in the store.
    """

    test: str
    kind: str
    trial: str
    stimulus: str
    file: str
    role: str
    cell: str
    clip: str
    speaker: str
    seed: int
    key: str


@dataclass(frozen=True, slots=True)
class ListeningTest:
    """A whole test.

    Attributes:
        id: names it in ratings; another draw has another one.
        kind: what is asked.
        title: for listeners; it names no system.
        stimuli: all sounds, trial by trial.
    """

    id: str
    kind: Kind
    title: str
    stimuli: Sequence[Stimulus]

    def trials(self) -> Mapping[str, Sequence[Stimulus]]:
        """Trial -> its sounds."""
        found: dict[str, list[Stimulus]] = defaultdict(list)
        for stimulus in self.stimuli:
            found[stimulus.trial].append(stimulus)
        return found


def draw_test(
    manifest: Manifest,
    rows: Sequence[CellRow],
    kind: Kind,
    cells: Sequence[CellFacts],
    *,
    trials: int,
    seed: int,
) -> ListeningTest:
    """Draws clips and gives every sound a meaningless name. No result decides anything.

    Args:
        manifest: of the run.
        rows: the table ``cells``.
        kind: of the test.
        cells: what is compared.
        trials: how many clips are drawn.
        seed: of the draw.

    Raises:
        PipelineError: if there are too few or too many cells.
        InputError: if no clip is done in all of them.
    """
    _require_cells(kind, cells)
    done = {(r.cell, r.clip): r for r in sorted(rows, key=lambda r: -r.seed) if r.status == "done"}
    clips = _drawn(rows, done, [cell.name for cell in cells], trials, seed)
    asked = _pairs(manifest, cells) if kind in ("ab", "abx") else [tuple(cells)]
    names = [[cell.name for cell in group] for group in asked]
    digest = hashlib.sha256(f"{manifest.hash} {kind} {seed} {clips} {names}".encode()).hexdigest()
    name = f"{kind}-{digest[:10]}"
    stimuli: list[Stimulus] = []
    for clip in clips:
        for group in asked:
            trial = f"t{len({s.trial for s in stimuli}) + 1:03d}"
            found = [done[cell.name, clip] for cell in group]
            stimuli += _trial(name, kind, trial, found, digest)
    return ListeningTest(name, kind, "Listening test", stimuli)


def _trial(
    test: str, kind: Kind, trial: str, rows: Sequence[CellRow], digest: str
) -> Sequence[Stimulus]:
    """The sounds of one page. In pairs the first cell is the baseline."""

    def stimulus(name: str, role: str, cell: str, row: CellRow, key: str) -> Stimulus:
        # Of the whole test's digest, so that nobody finds a cell by trying names of cells.
        file = hashlib.sha256(f"{digest} {trial} {name}".encode()).hexdigest()[:12]
        place = (row.clip, row.speaker, row.seed, key)
        return Stimulus(test, kind, trial, name, f"{file}.wav", role, cell, *place)

    names = _shuffled([f"c{number + 1:02d}" for number in range(len(rows))], f"{digest} {trial}")
    first = rows[0]
    made = []
    if kind == "mushra":
        made.append(stimulus(REFERENCE, "reference", "", first, first.source))
        made.append(stimulus(ANCHOR, "anchor", "", first, first.source))
    if kind in ("ab", "abx"):
        made.append(stimulus(REFERENCE, "baseline", first.cell, first, first.sound))
        names, rows = names[1:], rows[1:]
    made += [
        stimulus(name, "system", row.cell, row, row.sound)
        for name, row in zip(names, rows, strict=True)
    ]
    return made


def _shuffled(items: Sequence[str], salt: str) -> list[str]:
    return sorted(items, key=lambda item: hashlib.sha256(f"{salt} {item}".encode()).digest())


def _drawn(
    rows: Sequence[CellRow],
    done: Mapping[tuple[str, str], CellRow],
    cells: Sequence[str],
    count: int,
    seed: int,
) -> Sequence[str]:
    """Clips that all cells have; of each speaker one before another has two."""
    speakers = {row.clip: row.speaker for row in rows}
    whole = [clip for clip in speakers if all((cell, clip) in done for cell in cells)]
    if not whole:
        text = f"no clip is done in all of the {len(cells)} cells of the listening test"
        fix = "finish the run (voicegraph experiment run), or name fewer cells with --only"
        raise InputError(Problem("no-clip", text, fix=fix))
    by_speaker: dict[str, list[str]] = defaultdict(list)
    for clip in _shuffled(whole, f"clip {seed}"):
        by_speaker[speakers[clip]].append(clip)
    order = _shuffled([*by_speaker], f"speaker {seed}")
    turns = max(len(found) for found in by_speaker.values())
    drawn = [
        by_speaker[who][turn]
        for turn in range(turns)
        for who in order
        if turn < len(by_speaker[who])
    ]
    return drawn[:count]


def _require_cells(kind: Kind, cells: Sequence[CellFacts]) -> None:
    least = 1 if kind == "mos" else 2
    most = MOST_IN_A_TRIAL - 2 if kind == "mushra" else None
    named = ", ".join(cell.name for cell in cells[:4]) + (", ..." if len(cells) > 4 else "")
    if len(cells) < least:
        text = f"a {kind} test needs at least {least} cells, and there are {len(cells)}"
        text += f" ({named})" if named else ""
        raise PipelineError(Problem("too-few-cells", text, fix="name others with --only"))
    if most is not None and len(cells) > most:
        text = f"a page of MUSHRA has at most {MOST_IN_A_TRIAL} sounds with reference and anchor, "
        text += f"so {most} cells; there are {len(cells)} ({named})"
        pattern = ", ".join(
            f"{factor}={level}" for factor, level in [*cells[0].levels.items()][-1:]
        )
        fix = f"--only '{pattern or 'FACTOR=LEVEL'}'"
        raise PipelineError(Problem("too-many-cells", text, fix=fix))


def _pairs(manifest: Manifest, cells: Sequence[CellFacts]) -> Sequence[tuple[CellFacts, CellFacts]]:
    """(baseline, other): cells that differ in one factor that the experiment compares.

    Without such cells the first one is the baseline of the others.
    """
    found = []
    for contrast in manifest.contrasts:
        for base in cells:
            if base.levels.get(contrast.vary) != contrast.baseline:
                continue
            others = _without(base, contrast.vary)
            found += [
                (base, c) for c in cells if c is not base and _without(c, contrast.vary) == others
            ]
    unique = {(base.name, cell.name): (base, cell) for base, cell in found}
    return list(unique.values()) or [(cells[0], cell) for cell in cells[1:]]


def _without(cell: CellFacts, factor: str) -> tuple[object, ...]:
    rest = {name: level for name, level in cell.levels.items() if name != factor}
    return cell.target, tuple(sorted(rest.items()))


def write_key(test: ListeningTest, path: Path) -> None:
    """Writes ``key.csv``, which tells what each meaningless name stands for."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, [field.name for field in fields(Stimulus)])
        writer.writeheader()
        writer.writerows(asdict(stimulus) for stimulus in test.stimuli)


def read_key(path: Path) -> ListeningTest:
    """Reads ``key.csv``.

    Raises:
        InputError: if it is missing or not one.
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = list(csv.DictReader(file))
        stimuli = [Stimulus(**{**line, "seed": int(line["seed"])}) for line in lines]
    except OSError as error:
        text = f"{path} cannot be read: {error.strerror}; it tells which sound is which"
        fix = "name the folder that `voicegraph experiment listen` wrote with --out"
        raise InputError(Problem("no-key", text, fix=fix)) from None
    except (TypeError, ValueError, KeyError, csv.Error):
        stimuli = []
    if not stimuli or stimuli[0].kind not in KINDS:
        raise InputError(Problem("wrong-key", f"{path} is not the key of a listening test"))
    kind: Kind = next(kind for kind in KINDS if kind == stimuli[0].kind)
    return ListeningTest(stimuli[0].test, kind, "", stimuli)
