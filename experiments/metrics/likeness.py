"""Speaker similarity: does the output sound like the target, and still like the source?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from ..metric import Heard, Metric, MetricFamily, NotMeasured, Params
from ..registry import family
from ._sides import OneOrMore, made_and_source

_DEFAULT = "ge2e"


class LikenessParams(Params):
    """Params of ``likeness``."""

    to: OneOrMore[Literal["target", "source"]] = ("target", "source")
    """Whose voice the output is compared with."""
    by: OneOrMore[Literal["ge2e", "resemblyzer"]] = (_DEFAULT,)
    """Speaker encoder. Both have the same weights: ``ge2e`` hears all of a sound at one level,
    ``resemblyzer`` cuts out pauses first, as that package does, and depends on the level."""


@family("likeness")
class Likeness(MetricFamily):
    """Cosine of speaker embeddings (SECS)."""

    text = "speaker similarity: cosine of embeddings, with the target and with the source"
    params = LikenessParams
    examples = ({"by": ["ge2e", "resemblyzer"]},)

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``likeness.target`` and ``.source``; by Resemblyzer ``.target_resemblyzer`` and so on."""
        assert isinstance(given, LikenessParams)
        return [_metric(to, by) for by in dict.fromkeys(given.by) for to in dict.fromkeys(given.to)]


def _metric(to: str, by: str) -> Metric:
    name = f"speaker.{by}"
    suffix, words = ("", "") if by == _DEFAULT else (f"_{by}", f" ({by})")
    if to == "target":
        return Metric(
            f"likeness.target{suffix}", f"similarity to target{words}", _to_target(name),
            made=(name,), targets=(name,), better="higher", unit="cosine", span=(-1, 1), ideal=1.0,
            text="cosine with the mean embedding of the target's held-out speech",
        )  # fmt: skip
    return Metric(
        f"likeness.source{suffix}", f"similarity to source{words}", _to_source(name), made=(name,),
        source=(name,), better="lower", unit="cosine", span=(-1, 1), ideal=1.0,
        text="cosine with the embedding of the source: what is left of its voice",
    )  # fmt: skip


def _to_target(by: str) -> Callable[[Heard], float]:
    def measure(heard: Heard) -> float:
        return float(heard.made[by]["vector"] @ mean_vector(_vectors(heard, by)))

    return measure


def _to_source(by: str) -> Callable[[Heard], float]:
    def measure(heard: Heard) -> float:
        made, source = made_and_source(heard, by)
        return float(made["vector"] @ source["vector"])

    return measure


def _vectors(heard: Heard, by: str) -> list[np.ndarray]:
    found = []
    for utterance in heard.targets:
        try:
            found.append(utterance[by]["vector"])
        except NotMeasured:
            continue  # an utterance without speech says nothing about the voice
    return found


def mean_vector(vectors: Sequence[np.ndarray]) -> np.ndarray:
    """The mean of embeddings ``[dim]``, scaled to length 1.

    Raises:
        NotMeasured: if there is none.
    """
    if not len(vectors):
        raise NotMeasured("there is no speech of the target")
    mean = np.mean(np.stack(vectors), axis=0)
    return mean / np.linalg.norm(mean)
