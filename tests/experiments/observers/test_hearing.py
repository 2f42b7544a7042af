"""Observers as text, and sounds that cannot be measured."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from voicegraph.experiments import Need, Observer, Params, observer, observers, registry
from voicegraph.experiments.evaluation import NOT_MEASURED
from voicegraph.graph.errors import PipelineError

RATE = 16000


class PickyParams(Params):
    """Params of the test's observer."""

    size: int = 3
    name: str = "a"


@pytest.fixture(autouse=True)
def _picky() -> Iterator[None]:
    with registry.isolated():

        @observer("test.picky", needs=(Need("no-such-package", "no_such_module"),))
        class Picky(Observer):
            params = PickyParams

            def observe(self, audio: np.ndarray) -> dict[str, np.ndarray]:
                return {"n": audio}

        yield


def test_equal_params_are_spelled_equally() -> None:
    assert observers.spell("test.picky") == "test.picky"
    assert observers.spell("test.picky", {"size": 3}) == "test.picky"
    text = observers.spell("test.picky", {"size": 5, "name": "b"})
    assert text == 'test.picky{"name":"b","size":5}'
    cls, params = observers.parse(text)
    assert (cls.name, params) == ("test.picky", PickyParams(size=5, name="b"))


def test_wrong_params_are_named() -> None:
    with pytest.raises(PipelineError, match=r"test\.picky does not take size"):
        observers.parse('test.picky{"size":"x"}')


def test_missing_packages_are_said_with_the_command() -> None:
    problem = observers.missing("test.picky")
    assert problem is not None
    assert "test.picky needs no-such-package" in problem.message
    assert str(problem.fix).endswith("-m pip install no-such-package")
    with pytest.raises(PipelineError, match="no-such-package"):
        observers.hear("test.picky", np.ones(RATE, np.float32), RATE)


@pytest.mark.parametrize(
    ("sound", "why"),
    [
        (np.full(RATE, np.nan, np.float32), "the sound has NaN or infinite samples"),
        (np.ones(RATE // 100, np.float32), "the sound is shorter than 100 ms"),
        (np.zeros(0, np.float32), "the sound is shorter than 100 ms"),
    ],
)
def test_what_cannot_be_measured_gives_the_reason(sound: np.ndarray, why: str) -> None:
    found = observers.hear("contour.level", sound, RATE)
    assert (dict(found.arrays), found.about) == ({}, {NOT_MEASURED: why})
