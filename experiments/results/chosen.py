"""Which clips a page plays: some that are drawn, and the worst of each metric."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Sequence

from voicegraph.schemas.experiment_manifest import Manifest
from voicegraph.schemas.experiment_tables import ValueRow


def drawn_clips(manifest: Manifest) -> tuple[str, ...]:
    """Names of the clips that a page offers, drawn with the experiment's first seed.

    The draw is blind to what was measured. Of each speaker one is taken before another has two.
    """
    seed = manifest.seeds[0] if manifest.seeds else 0

    def lot(name: str) -> str:
        return hashlib.sha256(f"{seed}:{name}".encode()).hexdigest()

    speakers: dict[str, list[str]] = defaultdict(list)
    for clip in sorted(manifest.clips, key=lambda clip: lot(clip.name)):
        speakers[clip.speaker].append(clip.name)
    rounds = sorted(
        (turn, lot(name), name) for names in speakers.values() for turn, name in enumerate(names)
    )
    return tuple(name for *_, name in rounds[: manifest.page.clips])


def worst_values(manifest: Manifest, values: Sequence[ValueRow]) -> dict[str, list[ValueRow]]:
    """The worst values of each metric that has a direction, of different clips, the worst first."""
    better = {metric.name: metric.better for metric in manifest.metrics if metric.better}
    found: dict[str, list[ValueRow]] = {name: [] for name in better}
    for row in values:
        if row.metric in better and row.value is not None:
            found[row.metric].append(row)
    return {
        name: _worst(rows, manifest.page.worst, lower=better[name] == "lower")
        for name, rows in found.items()
    }


def _worst(rows: Sequence[ValueRow], count: int, *, lower: bool) -> list[ValueRow]:
    def place(row: ValueRow) -> tuple[float, str, str, int]:
        assert row.value is not None
        return (-row.value if lower else row.value, row.cell, row.clip, row.seed)

    clips: dict[tuple[str, str], ValueRow] = {}
    for row in sorted(rows, key=place):
        clips.setdefault((row.cell, row.clip), row)
    return list(clips.values())[:count]
