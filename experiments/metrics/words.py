"""Word and character error rates: is it still understood?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Literal

import numpy as np

from voicegraph.graph.metrics.edit_distance import error_rate

from ..metric import Heard, Metric, MetricFamily, NotMeasured, Params
from ..observers.spoken_words import spoken_words
from ..registry import family
from ._sides import OneOrMore

_Model = Literal["whisper-tiny", "moonshine-tiny"]
_BY = {"whisper-tiny": ("words.whisper", ""), "moonshine-tiny": ("words.moonshine", "_moonshine")}
"""Observer, and what the names of its numbers end in."""
_TRANSCRIPT = "transcript"
"""Column of the clips."""
Reference = Literal["auto", "transcript", "source"]


class WordsParams(Params):
    """Params of ``words``."""

    model: OneOrMore[_Model] = ("whisper-tiny",)
    """Recognizers, of English. ``moonshine-tiny`` is for encoders that Whisper taught."""
    reference: Reference = "auto"
    """What was said: by the column ``transcript`` of the clips, by what the recognizer hears in
    the source, or ``auto``: the transcript where there is one."""


@family("words")
class Words(MetricFamily):
    """Edit distance of words and of characters, as a speech recognizer hears the output."""

    text = "word and character error rate, against a transcript or what is heard in the source"
    params = WordsParams
    examples = ({"model": ["whisper-tiny", "moonshine-tiny"]},)

    def metrics(self, given: Params) -> Sequence[Metric]:
        """``words.wer`` and ``words.cer``; of Moonshine ``words.wer_moonshine`` and so on."""
        assert isinstance(given, WordsParams)
        return [made for model in dict.fromkeys(given.model) for made in _rates(model, given)]


def _rates(model: str, given: WordsParams) -> list[Metric]:
    """The numbers of one recognizer."""
    (by, ending), reference = _BY[model], given.reference
    said = "the transcript" if reference == "transcript" else "what is heard in the source"
    if reference == "auto":
        said = "the transcript, or, without one, what is heard in the source"
    source = () if reference == "transcript" else (by,)
    whose = f" ({ending.removeprefix('_')})" if ending else ""
    return [
        Metric(
            f"words.{name}{ending}", f"{title}{whose}", _error(by, reference, unit), made=(by,),
            source=source, better="lower", span=(0, np.inf), ideal=0.0, monotone=True,
            text=f"edit distance in {unit} by the length of the reference: {said}",
        )
        for name, title, unit in (
            ("wer", "word error rate", "words"),
            ("cer", "character error rate", "characters"),
        )
    ]  # fmt: skip


def _error(by: str, reference: Reference, unit: str) -> Callable[[Heard], float]:
    def measure(heard: Heard) -> float:
        said, made = _said(heard, by, reference), spoken_words(_text(heard.made[by]["text"]))
        if not said:
            raise NotMeasured("the reference has no words")
        if unit == "words":
            return error_rate(said, made)
        return error_rate(" ".join(said), " ".join(made))

    return measure


def _said(heard: Heard, by: str, reference: Reference) -> list[str]:
    written = heard.clip.columns.get(_TRANSCRIPT, "") if heard.clip is not None else ""
    if reference != "source" and written.strip():
        return spoken_words(written)
    if reference == "transcript":
        raise NotMeasured(f"the clip has no column {_TRANSCRIPT}")
    if not heard.source:
        raise NotMeasured("there is neither a transcript nor a source")
    return spoken_words(_text(heard.source[by]["text"]))


def _text(kept: np.ndarray) -> str:
    return kept.tobytes().decode("utf-8", "replace")
