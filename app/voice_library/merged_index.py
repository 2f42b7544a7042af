"""The index of a merged voice: vectors of both parents, as many of each as its share.

Retrieval pulls the content towards the training material of a voice. That of a merged voice is the
material of both: with one parent's index alone, what was mixed in the weights would be undone in
the content. So vectors of both are drawn in the ratio of the weights, as many as the indexes allow,
and sorted into lists as RVC does. If one parent has no index, the merged voice gets none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from voicegraph.graph.files.voice_library import LibraryEntry
from voicegraph.training.index.index_writer import CardTexts
from voicegraph.training.index.make import MakeSettings, Material, make
from voicegraph.training.index.source import IndexSource

_SEED = 1


@dataclass(frozen=True, slots=True)
class MergedIndex:
    """The index of a merged voice.

    Attributes:
        file: where it was written; None without one.
        remark: what was done, for the card.
    """

    file: Path | None
    remark: str


def merged_index(
    parents: tuple[LibraryEntry, LibraryEntry],
    ratio: float,
    target: Path,
    tell: Callable[[str], None] = lambda _: None,
) -> MergedIndex:
    """Writes the index of a voice between two.

    Args:
        parents: the voices.
        ratio: share of the first one.
        target: the file to write.
        tell: gets a line for each step.

    Raises:
        WeightsError: if one of the indexes cannot be read.
        OutputError: if it cannot be written.
    """
    without = [entry.name for entry in parents if entry.index_file is None]
    if len(without) == 2:
        return MergedIndex(None, "neither parent has an index")
    if without:
        other = next(entry.name for entry in parents if entry.name not in without)
        text = f"no index, since {without[0]} has none: that of {other} would pull towards {other}"
        return MergedIndex(None, f"{text} alone (vars.index={other} does so)")
    sources = [IndexSource(entry.index_file) for entry in parents if entry.index_file is not None]
    counts = shares([source.count for source in sources], ratio)
    tell(f"an index of {sum(counts)} vectors")
    vectors = np.concatenate(
        [_drawn(source, count) for source, count in zip(sources, counts, strict=True)]
    )
    trained_on = [None if source.card is None else source.card.trained_on for source in sources]
    certain = trained_on[0] if trained_on[0] == trained_on[1] else None
    probes = max(source.probes or 1 for source in sources)
    make(
        Material(vectors, files=2),
        MakeSettings(probes=probes, duplicates=True),
        target,
        CardTexts(title=target.name.split(".")[0], trained_on=certain),
        force=False,
    )
    first, second = parents
    listed = f"{counts[0]} vectors of {first.name} and {counts[1]} of {second.name}"
    return MergedIndex(target, f"its index holds {listed}, in the ratio of the weights")


def shares(counts: list[int], ratio: float) -> list[int]:
    """How many vectors of each parent: in this ratio, at least one, and as many as there are."""
    whole = min(counts[0] / ratio, counts[1] / (1.0 - ratio))
    wanted = (whole * ratio, whole * (1.0 - ratio))
    return [max(1, min(count, round(part))) for count, part in zip(counts, wanted, strict=True)]


def _drawn(source: IndexSource, count: int) -> np.ndarray:
    """Vectors of an index, drawn without replacement: float32 ``[count, dimension]``."""
    generator = np.random.default_rng(_SEED)
    numbers = np.sort(generator.choice(source.count, count, replace=False)).astype(np.int64)
    return source.rows(numbers)[2]
