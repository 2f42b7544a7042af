"""Draws clips at random, before anything is measured.

The order of speakers, and of the clips of each, comes from SHA-256 of seed and name. So a draw is
the same wherever the files are, on every machine, and stays nearly the same when files are added.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from voicegraph.schemas.experiment_clips import Draw


class Drawable(Protocol):
    """What is drawn."""

    @property
    def name(self) -> str:
        """Name of the clip."""
        ...

    @property
    def speaker(self) -> str:
        """Who speaks."""
        ...


T = TypeVar("T", bound=Drawable)


class TooFewError(Exception):
    """There are fewer speakers than are to be drawn.

    Attributes:
        found: how many there are, by value of the balanced column.
    """

    def __init__(self, found: dict[str, int]) -> None:
        super().__init__()
        self.found = found


def order_of(seed: int, name: str) -> bytes:
    """Place of a name in a random order."""
    return hashlib.sha256(f"{seed}\n{name}".encode()).digest()


def draw(
    candidates: Iterable[T],
    spec: Draw,
    usable: Callable[[T], bool],
    group_of: Callable[[T], str | None],
    groups: Sequence[str] = ("",),
) -> list[T]:
    """Draws clips.

    Args:
        candidates: all clips.
        spec: how many.
        usable: whether a clip can be used, such as by its length; asked only when it matters.
        group_of: value of the balanced column; None: its speaker is not drawn.
        groups: all values of that column.

    Returns:
        The clips: speakers in the order of the draw, clips of each in the order of the draw.

    Raises:
        TooFewError: if there are too few speakers.
    """
    by_speaker: dict[str, list[T]] = {}
    for clip in candidates:
        by_speaker.setdefault(clip.speaker, []).append(clip)
    for speaker in spec.without:
        by_speaker.pop(speaker, None)
    chosen = _Chosen(spec, usable, dict.fromkeys(groups, 0))
    for speaker in sorted(by_speaker, key=lambda name: order_of(spec.seed, name)):
        if chosen.complete:
            break
        clips = sorted(by_speaker[speaker], key=lambda clip: order_of(spec.seed, clip.name))
        chosen.add(clips, group_of)
    return chosen.result()


@dataclass(slots=True)
class _Chosen(Generic[T]):
    """A draw in progress.

    Attributes:
        counts: speakers by group.
        order: group and clips of each speaker.
    """

    spec: Draw
    usable: Callable[[T], bool]
    counts: dict[str, int]
    order: list[tuple[str, list[T]]] = field(default_factory=list)

    @property
    def wanted(self) -> int | None:
        """Speakers of each group; None: as many as the smallest group has."""
        count = self.spec.speakers
        return None if count is None else count // len(self.counts)

    @property
    def complete(self) -> bool:
        wanted = self.wanted
        return wanted is not None and all(count >= wanted for count in self.counts.values())

    def add(self, clips: list[T], group_of: Callable[[T], str | None]) -> None:
        found = list(_first(clips, self.usable, self.spec.each))
        group = group_of(found[0]) if found else None
        if group is None or group not in self.counts:
            return
        if self.wanted is None or self.counts[group] < self.wanted:
            self.counts[group] += 1
            self.order.append((group, found))

    def result(self) -> list[T]:
        least = min(self.counts.values())
        wanted = least if self.wanted is None else self.wanted
        if least < max(wanted, 1):
            raise TooFewError(self.counts)
        left = dict.fromkeys(self.counts, wanted)
        clips: list[T] = []
        for group, found in self.order:
            if left[group]:
                left[group] -= 1
                clips += found
        return clips


def _first(clips: Iterable[T], usable: Callable[[T], bool], count: int) -> Iterator[T]:
    """The first clips that can be used."""
    return itertools.islice((clip for clip in clips if usable(clip)), count)
