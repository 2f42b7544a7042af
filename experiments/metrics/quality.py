"""Speech quality as listeners would rate it, by networks that learned from their ratings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

from ..metric import Heard, Metric, MetricFamily, Params
from ..registry import family
from ._sides import OneOrMore

_NUMBERS: dict[str, tuple[tuple[str, str, str, str, bool], ...]] = {
    "dnsmos": (
        ("dnsmos", "DNSMOS P.835", "overall", "overall quality (P.835)", True),
        ("p808", "DNSMOS P.808", "p808", "overall quality (P.808)", True),
    ),
    "plcmos": (("plcmos", "PLCMOS", "score", "quality where blocks were lost", False),),
    "distillmos": (("distillmos", "DistillMOS", "score", "overall quality", True),),
}
"""Network -> name, title, array, text, whether noise never makes it better."""


class QualityParams(Params):
    """Params of ``quality``."""

    by: OneOrMore[Literal["dnsmos", "plcmos", "distillmos"]] = ("dnsmos",)
    """Networks that rate."""


@family("quality")
class Quality(MetricFamily):
    """Mean opinion scores that networks predict from the output alone.

    The scale is 1..5; the polynomials of DNSMOS may leave it a little.
    """

    text = "mean opinion scores, as networks predict them from the output alone"
    params = QualityParams
    examples = (["dnsmos", "plcmos", "distillmos"],)

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``quality.dnsmos`` and ``.p808``, ``.plcmos``, ``.distillmos``."""
        assert isinstance(given, QualityParams)
        return [
            Metric(
                f"quality.{name}", title, _score(f"mos.{network}", array), made=(f"mos.{network}",),
                better="higher", unit="MOS", span=(0, 6), digits=2, monotone=monotone,
                text=f"{text}, 1 to 5, as a network predicts it",
            )
            for network in dict.fromkeys(given.by)
            for name, title, array, text, monotone in _NUMBERS[network]
        ]  # fmt: skip


def _score(by: str, array: str) -> Callable[[Heard], float]:
    return lambda heard: float(heard.made[by][array])
