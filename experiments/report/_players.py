"""What can be heard: drawn clips with every variant, and the worst clips of each metric."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.experiment_manifest import Manifest, MetricFacts
from voicegraph.schemas.experiment_tables import CellRow, ValueRow

from ._media import Sounds
from ._numbers import number

MOST_VARIANTS = 40
"""Of a clip in one player: nobody switches between more, and worst clips need room, too."""
Track = Mapping[str, Any]
"""``label``, ``kind`` (source, given, target, variant) and ``sound``, the name of the media."""


@dataclass(frozen=True, slots=True)
class Worst:
    """One of the worst values of a metric.

    Attributes:
        value: as text.
        row: the value.
        player: index of its tracks among the page's players; None if it cannot be heard.
    """

    value: str
    row: ValueRow
    player: int | None


def clip_players(
    manifest: Manifest, cells: Sequence[CellRow], media: Sounds, clips: Sequence[str]
) -> list[Any]:
    """Players of drawn clips: source, target and every variant."""
    made = []
    for clip in clips:
        rows = [row for row in cells if row.clip == clip and row.status == "done"]
        first = min((row.seed for row in rows), default=0)
        every = [row for row in rows if row.seed == first]
        rows = spread(every, MOST_VARIANTS)
        tracks = _tracks(
            media,
            [
                *(("source", "source", row.source) for row in rows),
                *_targets(manifest, rows),
                *(("given", f"given: {_condition(row, rows)}", row.given) for row in rows),
                *(("variant", row.cell, row.sound) for row in rows),
            ],
        )
        if tracks:
            title = printable(f"{clip} (speaker {rows[0].speaker})")
            if len(rows) < len(every):
                title += f", {len(rows)} of {len(every):,} variants, evenly spread"
            made.append({"title": title, "tracks": tracks})
    return made


def spread(rows: Sequence[CellRow], most: int) -> Sequence[CellRow]:
    """At most so many rows, evenly spread, the first and the last among them."""
    if len(rows) <= most:
        return rows
    return [rows[round(k * (len(rows) - 1) / (most - 1))] for k in range(most)]


def _condition(row: CellRow, rows: Sequence[CellRow]) -> str:
    """The levels that all cells with this given sound share, and no others have."""
    same = [other.levels for other in rows if other.given == row.given]
    shared = [
        f"{name}={level}"
        for name, level in row.levels.items()
        if all(levels.get(name) == level for levels in same)
        and any(other.levels.get(name) != level for other in rows if other.given != row.given)
    ]
    return ", ".join(shared) or row.cell


def _targets(manifest: Manifest, rows: Sequence[CellRow]) -> Iterator[tuple[str, str, str]]:
    for name in dict.fromkeys(row.target for row in rows):
        target = manifest.targets.get(name)
        if target is not None and target.sounds:
            yield "target", f"target: {name}", target.sounds[0]


def _tracks(media: Sounds, wanted: Sequence[tuple[str, str, str]]) -> list[Track]:
    """Each sound once, under its first label."""
    seen: set[str] = set()
    tracks = []
    for kind, label, key in wanted:
        if not key or key in seen:
            continue
        seen.add(key)
        if (name := media.add(key)) is not None:
            tracks.append({"kind": kind, "label": printable(label), "sound": name})
    return tracks


def worst_clips(
    metric: MetricFacts,
    worst: Sequence[ValueRow],
    values: Sequence[ValueRow],
    cells: Mapping[tuple[str, str, int], CellRow],
    media: Sounds,
    players: list[Any],
) -> Sequence[Worst]:
    """The worst values of a metric; what they can be compared with is added to ``players``."""
    clips = {(row.clip, row.seed) for row in worst}
    rows = [
        row
        for row in values
        if row.metric == metric.name and row.value is not None and (row.clip, row.seed) in clips
    ]
    found = []
    for row in worst:
        text = number(row.value, metric.digits)
        cell = cells.get((row.cell, row.clip, row.seed))
        tracks: list[Track] = []
        if cell is not None:
            best = _best(metric, rows, row, cells)
            wanted = [
                ("variant", f"{row.cell}: {text}", cell.sound),
                ("source", "source", cell.source),
                ("given", "given", cell.given),
                *best,
            ]
            tracks = _tracks(media, wanted)
        if tracks and tracks[0]["kind"] == "variant":
            title = f"{metric.title} {text}: {row.clip} (speaker {row.speaker})"
            players.append({"title": printable(title), "tracks": tracks})
            found.append(Worst(text, row, len(players) - 1))
        else:
            found.append(Worst(text, row, None))
    return found


def _best(
    metric: MetricFacts,
    rows: Sequence[ValueRow],
    worst: ValueRow,
    cells: Mapping[tuple[str, str, int], CellRow],
) -> Sequence[tuple[str, str, str]]:
    """The best output of the same clip, to hear the difference."""
    sign = 1.0 if metric.better == "higher" else -1.0
    same = [r for r in rows if (r.clip, r.seed) == (worst.clip, worst.seed)]
    best = max(same, key=lambda r: sign * (r.value or 0.0))
    cell = cells.get((best.cell, best.clip, best.seed))
    if cell is None or best.cell == worst.cell:
        return []
    return [("variant", f"best: {best.cell}: {number(best.value, metric.digits)}", cell.sound)]
