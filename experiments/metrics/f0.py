"""F0 of the output against that of the source; and of a tracker in the pipeline."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from voicegraph.graph.metrics.f0_error import (
    compare_f0,
    f0_cents,
    gross_share,
    voicing_agreement,
)

from ..metric import Heard, Metric, MetricFamily, NotMeasured, Params
from ..registry import family
from ._f0_reference import Reference, known_f0, observer_of, on_grid

_NO_FRAME = "no frame is voiced in both"


class F0Params(Params):
    """Params of ``f0``."""

    reference: Reference = "harvest+stonemask"
    """Tracker that hears the output, and the source where its F0 is not known (condition
    ``truth``). It should not be one of those that are compared."""
    tap: str | None = None
    """Port of the pipeline whose F0 is compared as well, such as ``f0.pitch``."""


@family("f0")
class F0(MetricFamily):
    """F0 errors: of the output, and with ``tap`` of what the pipeline's own tracker said."""

    text = "F0 errors of the output, and of the tracker itself (tap), against the source"
    params = F0Params
    examples = ({"tap": "f0.pitch"},)

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``f0.cents``, ``.gross``, ``.voicing``, ``.start``; ``.tap_cents`` and so on."""
        assert isinstance(given, F0Params)
        by = observer_of(given.reference)
        made = [_metric(*number, by=by) for number in _OUTPUT]
        if given.tap is not None:
            made += [_metric(*number, by=by, tap=given.tap) for number in _TAP]
        return made


def _metric(
    name: str, title: str, measure: Callable[[np.ndarray, np.ndarray], float], unit: str,
    digits: int, text: str, *, by: str, tap: str | None = None,
) -> Metric:  # fmt: skip
    def found(heard: Heard) -> float:
        reference = known_f0(heard, by)
        if tap is None:
            value = measure(reference, heard.made[by]["f0"])
        else:
            value = measure(reference, on_grid(heard.taps[tap], heard.rates[tap]))
        if np.isnan(value):
            raise NotMeasured(_NO_FRAME)
        return value

    share = name.endswith(("gross", "voicing"))
    return Metric(
        f"f0.{name}", title, found, made=(by,), source=(by,), taps=(tap,) if tap else (),
        better="higher" if name.endswith("voicing") else "lower", unit=unit, digits=digits,
        span=(0, 1) if share else (0, np.inf), ideal=1.0 if name.endswith("voicing") else 0.0,
        text=text,
    )  # fmt: skip


def _start(reference: np.ndarray, made: np.ndarray) -> float:
    value = compare_f0(made, reference).start
    if np.isnan(value):
        raise NotMeasured("less than a second is voiced in both")
    return abs(value)


def _tap_cents(reference: np.ndarray, said: np.ndarray) -> float:
    cents = f0_cents(reference, said)
    return float(np.median(np.abs(cents))) if len(cents) else float("nan")


_OUTPUT = (
    ("cents", "F0 error, median", lambda ref, f0: compare_f0(f0, ref).cents, "cents", 1,
     "median of the absolute F0 error, after a constant transposition is removed"),
    ("gross", "gross F0 errors", lambda ref, f0: compare_f0(f0, ref).gross, "", 3,
     "share of frames voiced in both whose error exceeds 100 cents"),
    ("voicing", "voicing agreement", voicing_agreement, "", 3,
     "share of frames that are voiced in both or in neither"),
    ("start", "F0 offset at the start", _start, "semitones", 2,
     "how far the first second of voiced speech is transposed otherwise than the rest"),
)  # fmt: skip
_TAP = (
    ("tap_cents", "F0 error of the tracker, median", _tap_cents, "cents", 1,
     "median of the absolute error of the pipeline's own F0; no transposition is removed"),
    ("tap_gross", "gross F0 errors of the tracker",
     lambda ref, f0: gross_share(f0_cents(ref, f0)), "", 3,
     "share of frames voiced in both in which the pipeline's own F0 is off by over 100 cents"),
    ("tap_voicing", "voicing agreement of the tracker", voicing_agreement, "", 3,
     "share of frames that the pipeline's own F0 calls voiced or unvoiced rightly"),
)  # fmt: skip
