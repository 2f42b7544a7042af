"""Experiments in Python."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from voicegraph import experiments
from voicegraph.experiments import Experiment, Processes, Run, swap
from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Outcome
from voicegraph.graph.errors import PipelineError


def _gains(folder: Path, **more: object) -> Experiment:
    return Experiment(
        clips={"files": folder / "clips", "speaker": "{stem.split('-')[0]}"},
        factors={"gain": {"set": "nodes.gain.params.db", "values": (0, -6)}},
        metrics=["level"],
        pipeline="quiet.yaml",
        compare=[{"vary": "gain", "baseline": "0", "metrics": {"level.rms": {}}}],
        store=None,
        name="gains",
        **more,
    )


def test_an_experiment_of_values_runs(folder: Path) -> None:
    experiment = _gains(folder)
    seen: list[Outcome] = []
    run = experiment.run(workers=1, on_result=seen.append, format="csv")
    assert isinstance(run, Run)
    assert run.folder == Path("results/gains")
    assert len(seen) == len({outcome.key for outcome in seen}) > 0
    table = run.table()["level.rms"]
    assert table.iloc[0] - table.iloc[1] == pytest.approx(6, abs=0.01)
    assert (run.folder / "report.html").is_file()
    again: list[Outcome] = []
    Experiment.run(experiment, workers=1, on_result=again.append, format="csv")
    assert [outcome for outcome in again if outcome.seconds] == []
    assert run.test_rows()[0].why == "no statistics: the clips are of 2 speakers, 6 are needed"


def test_check_says_what_a_run_would_do(folder: Path) -> None:
    check = _gains(folder).check()
    assert str(check).startswith("gains: ok, 2 cells")
    assert check.report.clips == 3
    assert not Path("results").exists()


def test_a_file_is_loaded_with_overrides(folder: Path) -> None:
    experiment = Experiment.load("small.yaml", {"clips.files": Path("clips/anna-1.wav")})
    assert experiment.check().report.clips == 1
    assert repr(experiment) == "Experiment('small')"
    with pytest.raises(PipelineError, match=r"clips\.fils"):
        Experiment.load("small.yaml", {"clips.fils": "clips"})


def test_part_of_the_cells_is_run(folder: Path) -> None:
    run = _gains(folder).run("out", workers=1, only="gain=0", format="csv")
    assert {row.status for row in run.cell_rows()} == {"done", "missing"}
    with pytest.raises(PipelineError, match="only='gain'"):
        _gains(folder).run("out", workers=1, only="gain")


def test_an_engine_has_its_own_workers(folder: Path) -> None:
    with pytest.raises(ValueError, match="either engine or workers"):
        _gains(folder).run(engine=Processes(1), workers=2)


def test_levels_of_a_swap_have_short_names() -> None:
    assert swap("f0", "f0.dio", "my.yin") == {
        "swap": "f0",
        "levels": {"dio": "f0.dio", "yin": "my.yin"},
    }
    slow = {"use": "f0.dio", "params": {"context": "1s"}}
    assert swap("f0", "f0.dio", "my.dio", slow=slow)["levels"] == {
        "f0.dio": "f0.dio",
        "my.dio": "my.dio",
        "slow": slow,
    }
    with pytest.raises(ValueError, match="at least one level"):
        swap("f0")


def test_a_swap_is_compiled() -> None:
    experiment = Experiment(
        factors={"tracker": swap("f0", "f0.dio", "f0.harvest")}, metrics=["latency"],
        pipeline="world",
    )  # fmt: skip
    assert experiment.check().report.factors == {"tracker": ["dio", "harvest"]}


def test_names_for_type_checkers_are_those_that_exist() -> None:
    stub = Path(experiments.__file__).with_suffix(".pyi").read_text(encoding="utf-8")
    (listed,) = [node for node in ast.parse(stub).body if isinstance(node, ast.Assign)]
    assert sorted(ast.literal_eval(listed.value)) == sorted(experiments.__all__)
    for name in experiments.__all__:
        assert getattr(experiments, name) is not None
    assert "swap" in dir(experiments)
    with pytest.raises(AttributeError, match="has no attribute 'sawp'"):
        _ = experiments.sawp  # pyright: ignore[reportAttributeAccessIssue]


def test_importing_the_package_stays_light() -> None:
    code = "import sys, voicegraph.experiments; heavy = 'pandas', 'ray', 'statsmodels', 'pebble'; "
    code += "print([name for name in heavy if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_results_lie_in_the_folder_of_the_run(folder: Path) -> None:
    run = _gains(folder).run("out", workers=1, format="csv")
    assert Path(run.manifest.store) == (folder / "out" / "store")
    assert list(Store(Path(run.manifest.store)).keys())
