"""Statistics of paired comparisons; the unit is the speaker.

SciPy and statsmodels compute them. Nothing here knows of files, pipelines or metrics.
"""

__all__ = [
    "correction",
    "effects",
    "equivalence",
    "intervals",
    "paired",
    "power",
    "reachable_p",
    "refusal",
    "significance",
    "speakers",
]
