"""Plug-ins by name: decorators, files, and what is said about wrong ones."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from voicegraph.experiments import Heard, Observer, metrics, observer, observers, registry
from voicegraph.experiments.evaluation import Observations, Value, evaluate
from voicegraph.graph.errors import PipelineError

CREAK = '''
import numpy as np
from voicegraph.experiments import Observer, metric, observer

@observer("creak.zeros", licence="MIT")
class Zeros(Observer):
    rate = 8000
    def observe(self, audio):
        return {"share": np.mean(audio == 0)}

@metric("creak.share", of="creak.zeros", better="lower", span=(0, 1))
def share(made):
    """Share of samples that are zero."""
    return made["share"]

@metric("creak.more", of="creak.zeros", against="source", ideal=0)
def more(made, source):
    return made["share"] - source["share"]
'''


@pytest.fixture(autouse=True)
def _isolated() -> Iterator[None]:
    with registry.isolated():
        yield


@pytest.fixture
def creak(tmp_path: Path) -> Path:
    path = tmp_path / "creak.py"
    path.write_text(CREAK)
    return path


def test_a_file_of_few_lines_adds_metrics(creak: Path) -> None:
    assert registry.load_file(creak) == ["creak.more", "creak.share", "creak.zeros"]
    assert "creak" in metrics.names()
    share, more = sorted(metrics.ask("creak"), key=lambda found: found.name, reverse=True)
    assert (share.made, share.text) == (("creak.zeros",), "Share of samples that are zero.")
    assert more.source == ("creak.zeros",)
    sound = np.where(np.arange(8000) % 4, 0.5, 0.0).astype(np.float32)
    made = observers.hear("creak.zeros", sound, 8000)
    other = observers.hear("creak.zeros", np.full(8000, 0.1, np.float32), 8000)
    heard = Heard(
        made=Observations({"creak.zeros": made}), source={"creak.zeros": other.arrays}, given={}
    )
    assert evaluate(share, heard) == Value(0.25)
    assert evaluate(more, heard) == Value(0.25)


def test_one_metric_of_a_family_can_be_asked_for(creak: Path) -> None:
    registry.load_file(creak)
    assert [found.name for found in metrics.ask("creak.more")] == ["creak.more"]
    assert [found.name for found in metrics.ask("level.peak")] == ["level.peak"]


def test_a_file_may_be_run_again(creak: Path) -> None:
    registry.load_file(creak)
    assert registry.load_file(creak) == ["creak.more", "creak.share", "creak.zeros"]


def test_a_file_that_fails_registers_nothing(creak: Path) -> None:
    creak.write_text(CREAK + "\n1 / 0\n")
    with pytest.raises(PipelineError, match="ZeroDivisionError"):
        registry.load_file(creak)
    assert "creak.zeros" not in observers.names()
    assert "creak" not in metrics.names()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"none\.py is not a Python file"):
        registry.load_file(tmp_path / "none.py")


def test_taken_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"contour\.level is already registered by"):

        @observer("contour.level")
        class _Other(Observer):
            def observe(self, audio: np.ndarray) -> dict[str, np.ndarray]:
                return {"n": audio}


@pytest.mark.parametrize("name", ["plain", "Upper.case", "a.b.c", "a.b-c", ""])
def test_malformed_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r"family\.name in lower case"):
        observer(name)(Observer)


def test_unknown_names_get_the_nearest() -> None:
    with pytest.raises(PipelineError) as caught:
        metrics.ask("levle")
    (problem,) = caught.value.problems
    assert (problem.code, problem.fix) == ("unknown-metric", "level")
    with pytest.raises(PipelineError, match=r"no observer is called 'contour\.volume'"):
        observers.parse("contour.volume")


def test_a_family_without_params_takes_none() -> None:
    with pytest.raises(ValueError, match="it takes no params"):
        metrics.ask("level", ["rms"])
