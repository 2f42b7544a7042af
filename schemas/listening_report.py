"""What ``voicegraph experiment listen --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping

from voicegraph.schemas.experiment_tables import TestRow
from voicegraph.schemas.report import Report


class ListeningTestReport(Report):
    """A test that was written."""

    test: str
    """Its identifier, which ratings name."""
    kind: str
    """``mos``, ``ab``, ``abx`` or ``mushra``."""
    trials: int
    """Pages; of MOS, clips."""
    cells: tuple[str, ...]
    """What is compared."""
    clips: tuple[str, ...]
    """The clips that were drawn."""
    page: str
    """The page without a server."""
    config: str
    """webMUSHRA's config."""
    key: str
    """Which sound is which."""


class RatingsReport(Report):
    """Ratings that were read."""

    metric: str
    """What the run calls them."""
    ratings: int
    """Number of ratings that count."""
    listeners: tuple[str, ...]
    """Whose ratings count."""
    excluded: Mapping[str, str]
    """Listener -> why the ratings do not count."""
    tests: tuple[TestRow, ...]
    """Differences between cells."""
    file: str
    """Where the run has them."""
