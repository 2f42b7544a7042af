"""Phone error rates: are the sounds of the source still there?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from voicegraph.graph.metrics.edit_distance import error_rate

from ..metric import Heard, Metric, MetricFamily, NotMeasured, Params
from ..registry import family
from ._sides import OneOrMore, made_and_source


class PhonesParams(Params):
    """Params of ``phones``."""

    by: OneOrMore[Literal["hama", "pocketsphinx"]] = ("hama",)
    """Recognizers. ``hama`` is strong, and taught the bundled encoders; ``pocketsphinx`` is weak
    and independent."""


@family("phones")
class Phones(MetricFamily):
    """Edit distance of what a phone recognizer hears in the output and in the clean source."""

    text = "phone error rate of the output against what is heard in the source"
    params = PhonesParams
    examples = (["hama", "pocketsphinx"],)

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``phones.hama`` and ``phones.pocketsphinx``."""
        assert isinstance(given, PhonesParams)
        return [
            Metric(
                f"phones.{by}", f"phone error rate ({by})", _error(f"phones.{by}"),
                made=(f"phones.{by}",), source=(f"phones.{by}",), better="lower",
                span=(0, np.inf), ideal=0.0, monotone=by == "hama",
                text=f"edit distance by the phones of the source, both heard by {by}",
            )
            for by in dict.fromkeys(given.by)
        ]  # fmt: skip


def _error(by: str) -> Callable[[Heard], float]:
    def measure(heard: Heard) -> float:
        made, source = (_symbols(side["phones"]) for side in made_and_source(heard, by))
        if not source:
            raise NotMeasured("no phone is heard in the source")
        return error_rate(source, made)

    return measure


def _symbols(phones: np.ndarray) -> list[object]:
    """Numbers, or names that are kept as UTF-8 bytes with spaces between."""
    return list(phones.tobytes().decode().split()) if phones.dtype == np.uint8 else phones.tolist()
