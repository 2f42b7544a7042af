"""STOI: how intelligible the output is, as far as it has the envelopes of the source."""

from __future__ import annotations

import importlib
import warnings
from collections.abc import Callable, Sequence

import numpy as np

from ..metric import Heard, Metric, MetricFamily, NotMeasured, Params
from ..observers.stoi_sound import PYSTOI, RATE
from ..registry import family
from ._sides import made_and_source

_BY = "sound.stoi"


@family("stoi")
class Stoi(MetricFamily):
    """Correlation of the envelopes of 15 third-octave bands with those of the clean source.

    It needs both sounds in step. It is made for noise, rooms, codecs and resynthesis of the same
    voice; a converted voice has other envelopes by intention, and is judged by ``words``.
    """

    text = "short-time intelligibility against the source: for noise, rooms, codecs, resynthesis"

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``stoi.stoi`` and ``stoi.extended``."""
        del given
        both = (_BY,)
        return [
            Metric(
                f"stoi.{name}", title, _measure(extended), made=both, source=both, better="higher",
                span=(-1, 1), ideal=1.0, monotone=True, text=text,
            )
            for name, title, extended, text in (
                ("stoi", "STOI", False,
                 "correlation of short stretches of band envelopes with those of the source"),
                ("extended", "extended STOI", True,
                 "correlation of short stretches of spectra and band envelopes with the source"),
            )
        ]  # fmt: skip


def _measure(extended: bool) -> Callable[[Heard], float]:
    def found(heard: Heard) -> float:
        made, source = (side["sound"] for side in made_and_source(heard, _BY))
        count = min(len(made), len(source))
        measure = importlib.import_module(f"{PYSTOI.module}.stoi").stoi
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # too little speech: it would give 1e-5
            try:
                value = measure(
                    source[:count].astype(np.float64),
                    made[:count].astype(np.float64),
                    RATE,
                    extended=extended,
                )
            except RuntimeWarning:
                raise NotMeasured("the source has less than 0.4 s of speech") from None
        return float(value)

    return found
