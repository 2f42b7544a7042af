"""Runs by folder, or by the experiment that was run."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.app.cli._opened_run import opened_run
from voicegraph.experiments.results.run import Run
from voicegraph.graph.errors import InputError


@pytest.fixture(autouse=True)
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The run of ``trackers``, in a working directory of its own; opening it gives its folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "results" / "trackers").mkdir(parents=True)
    (tmp_path / "mine.yaml").write_text("metrics: [level]\n")
    monkeypatch.setattr(Run, "open", lambda path: path)


@pytest.mark.parametrize("given", ["trackers", "trackers.yaml", "results/trackers"])
def test_a_run_is_found_by_folder_name_and_file(given: str) -> None:
    assert opened_run(given) == Path("results") / "trackers"


@pytest.mark.parametrize(
    ("given", "fix"),
    [
        ("blocks", "voicegraph experiment run blocks"),
        ("mine.yaml", "voicegraph experiment run mine.yaml"),
        ("nothing", "voicegraph experiment run FILE"),
    ],
)
def test_what_was_not_run_is_told_how(given: str, fix: str) -> None:
    with pytest.raises(InputError, match="is not the folder of a run, and there is none") as error:
        opened_run(given)
    assert str(error.value.problems[0].fix).startswith(fix)
