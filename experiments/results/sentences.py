"""Results in words: one sentence a test."""

from __future__ import annotations

from collections.abc import Mapping

from voicegraph.schemas.experiment_manifest import MetricFacts
from voicegraph.schemas.experiment_tables import TestRow

_CORRECTED = {"holm": "Holm p", "bh": "Benjamini-Hochberg p", "none": "p"}


def number(value: float | None, digits: int = 3, *, sign: bool = False) -> str:
    """A number as tables print it; ``-`` for None."""
    if value is None:
        return "-"
    text = f"{value:+.{digits}f}" if sign else f"{value:.{digits}f}"
    return text if float(text) or not text.startswith("-") else text[1:]  # no -0.000


def p_text(p: float | None) -> str:
    """``= .004`` or ``< .0001``."""
    if p is None:
        return "-"
    return "< .0001" if p < 1e-4 else f"= {p:.2g}".replace("= 0.", "= .").replace("= 1", "= 1.0")


def sentence(test: TestRow, metrics: Mapping[str, MetricFacts], correct: str = "holm") -> str:
    """A test in words: ``tracker=swift instead of dio: gross errors -0.031 [...], Holm p = .004``.

    Args:
        test: the row.
        metrics: facts by name.
        correct: how p was corrected.
    """
    facts = metrics.get(test.metric)
    digits = facts.digits if facts else 3
    unit = f" {facts.unit}" if facts and facts.unit else ""
    head = f"{test.vary}={test.level} instead of {test.baseline}"
    if test.within:
        head += f" ({test.within})"
    title = facts.title if facts else test.metric
    parts = [f"{title} {number(test.difference, digits, sign=True)}{unit}"]
    if test.difference is None:
        parts = [title]
    if test.low is not None and test.high is not None and test.low != test.high:
        low, high = (number(end, digits, sign=True) for end in (test.low, test.high))
        parts[0] += f" [{low}, {high}]"
    if test.p_corrected is not None:
        parts.append(f"{_CORRECTED[correct]} {p_text(test.p_corrected)}")
    if test.equivalent and test.margin is not None:
        parts.append(f"within the margin of {test.margin:g}")
    if test.verdict == "no difference shown" and test.detectable is not None and not test.why:
        least = number(test.detectable, digits)
        parts.append(f"least detectable difference {least}{unit}")
    verdict = f"{test.verdict} ({test.why})" if test.why else test.verdict
    return f"{head}: {', '.join(parts)}; {verdict}"
