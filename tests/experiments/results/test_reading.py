"""What metrics get of the target's own speech."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.experiments.clip import Clip
from voicegraph.experiments.compiled import Cell, CompiledExperiment, Item, Target
from voicegraph.experiments.metric import Heard, Metric, NotMeasured
from voicegraph.experiments.results._reading import Reader
from voicegraph.experiments.task import Result

from .synthetic import EAR, Synthetic

METRIC = Metric(
    "toy.likeness", "toy likeness", lambda heard: 0.0, made=(EAR,), source=(EAR,), targets=(EAR,)
)


class _Kept:
    """Observations whose only number is their key's."""

    def read(self, key: str, only: Any = None) -> Result:
        del only
        return Result({"number": np.array(float(key))})


def _heard(utterances: int) -> Heard:
    """Of the first of some utterances of a target."""
    clips = tuple(Clip(f"u{n}", Path(f"u{n}.flac"), "0" * 64, "heart") for n in range(utterances))
    sounds = tuple(f"sound-{n}" for n in range(utterances))
    compiled: CompiledExperiment = replace(
        Synthetic().compiled(),
        cells=[Cell("own", {"system": "own"}, "heart", "target")],
        targets={"heart": Target("heart", clips)},
        target_sounds={"heart": sounds},
        observed={(sound, EAR): str(n) for n, sound in enumerate(sounds)},
    )
    item = Item("own", clips[0], 1, sounds[0], sounds[0], sounds[0])
    return Reader(compiled, _Kept()).heard(METRIC, item)


def test_it_has_no_source() -> None:
    heard = _heard(2)
    assert not heard.source
    with pytest.raises(NotMeasured, match="the target's own speech has no source"):
        _ = heard.source[EAR]


@pytest.mark.parametrize(("utterances", "others"), [(3, [1.0, 2.0]), (1, [0.0])])
def test_it_is_compared_with_the_other_utterances(utterances: int, others: list[float]) -> None:
    targets = _heard(utterances).targets
    assert [float(utterance[EAR]["number"]) for utterance in targets] == others
