"""What the page needs of a finished run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np

from voicegraph.schemas.experiment_manifest import FailureFacts, Manifest
from voicegraph.schemas.experiment_tables import CellRow, CostRow, TestRow, ValueRow

from ..results.means import MeanRow


class ReportedRun(Protocol):
    """The part of :class:`~voicegraph.experiments.results.run.Run` that the page reads."""

    @property
    def manifest(self) -> Manifest:
        """Everything that the tables do not hold."""
        ...

    @property
    def folder(self) -> Path:
        """The run's folder."""
        ...

    def cell_rows(self) -> Sequence[CellRow]:
        """The table ``cells``."""
        ...

    def value_rows(self) -> Sequence[ValueRow]:
        """The table ``values``, measures that were added later included."""
        ...

    def cost_rows(self) -> Sequence[CostRow]:
        """The table ``costs``."""
        ...

    def test_rows(self) -> Sequence[TestRow]:
        """The table ``tests``, those that were added later included."""
        ...

    def mean_rows(self) -> Sequence[MeanRow]:
        """Means over speakers, with intervals."""
        ...

    def failures(self) -> Sequence[FailureFacts]:
        """The lines of ``failures.jsonl``."""
        ...

    def sound(self, key: str) -> tuple[np.ndarray, int]:
        """A sound, float32 ``[samples]``, and its rate in Hz.

        Raises:
            KeyError: if it is no longer there.
        """
        ...
