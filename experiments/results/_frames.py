"""Rows as frames of pandas."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.optional_packages import is_installed, missing_package

from .tables import as_columns, columns

if TYPE_CHECKING:
    import pandas


def frame(rows: Sequence[Any], row: type, factors: Iterable[str] = ()) -> pandas.DataFrame:
    """Rows of a table as a frame.

    Raises:
        PipelineError: if pandas is not installed.
    """
    return frame_of([as_columns(one) for one in rows], list(columns(row, factors)))


def frame_of(rows: Sequence[Any], names: Sequence[str]) -> pandas.DataFrame:
    """Mappings or sequences as a frame.

    Raises:
        PipelineError: if pandas is not installed.
    """
    if not is_installed("pandas"):
        instead = "use the methods whose names end in _rows"
        raise PipelineError(
            missing_package("a frame", "pandas", extra="experiment", instead=instead)
        )
    import pandas

    return pandas.DataFrame(rows, columns=list(names))
