"""Opening a run: rows, frames, questions, sounds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas
import pytest

from voicegraph.experiments.results.run import Run
from voicegraph.experiments.store import Store
from voicegraph.graph import optional_packages
from voicegraph.graph.errors import InputError, PipelineError
from voicegraph.schemas.experiment_manifest import AddedMeasures, MetricFacts
from voicegraph.schemas.experiment_tables import ValueRow

from .conftest import make_run

DIO: dict[str, Any] = {"tracker": "dio", "noise": "clean"}


@pytest.fixture
def copy(run: Run, tmp_path: Path) -> Path:
    """A copy of the run's folder."""
    return Path(shutil.copytree(run.folder, tmp_path / "copy"))


def test_frames_have_levels_and_types(run: Run) -> None:
    values: Any = run.values()
    assert isinstance(values, pandas.DataFrame)
    assert list(values.columns[-2:]) == ["factor.tracker", "factor.noise"]
    assert len(values) == 4 * 8 * 2
    errors = values[values["metric"] == "toy.error"]
    means: Any = errors.groupby("factor.tracker")["value"].mean()
    assert means["swift"] - means["dio"] == pytest.approx(-0.135)
    table: Any = run.table()
    assert list(table.columns) == ["toy.error", "toy.score"]
    assert table.loc["tracker=dio, noise=clean", "toy.error"] == pytest.approx(0.57)
    assert set(run.costs()["name"]) >= {"cpu_ms", "algorithmic_ms", "total_ms"}
    assert len(run.tests()) == len(run.test_rows()) == 4
    assert run.cells()["factor.noise"].nunique() == 2  # pyright: ignore[reportGeneralTypeIssues]


def test_frames_name_the_package_that_is_missing(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "voicegraph.experiments.results._frames.is_installed",
        lambda module: module != "pandas" and optional_packages.is_installed(module),
    )
    with pytest.raises(PipelineError, match=r"a frame needs pandas.*extra `experiment`") as error:
        run.values()
    assert "pip install" in str(error.value)
    assert run.value_rows()


def test_compare_tests_anew(run: Run) -> None:
    found = run.compare("tracker", metric="toy.error")
    (row,) = found
    assert (row.level, row.baseline, row.within, row.n) == ("swift", "dio", "", 8)
    assert row.verdict == "better"
    assert "| tracker=swift | dio " in str(found)
    assert found.sentences() == [
        "tracker=swift instead of dio: toy error -0.135 [-0.150, -0.119], Holm p = .0078; better"
    ]
    assert list(found.frame()["verdict"]) == ["better"]
    within = run.compare("tracker", baseline="swift", within="noise", metric={"toy": 0.5})
    assert [(row.level, row.within, row.metric) for row in within] == [
        ("dio", f"noise={noise}", f"toy.{metric}")
        for noise in ("clean", "pink")
        for metric in ("error", "score")
    ]
    assert all(row.equivalent for row in within)
    (ranks, *_) = run.compare("tracker", test="wilcoxon", correct="none")
    assert ranks.p == ranks.p_corrected == 2 / 256


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("traker",), "there is no factor 'traker'; there are: target, tracker, noise"),
        (("tracker", "diu"), "there is no level of tracker 'diu'; there are: dio, swift"),
        (("tracker", "dio", "nois"), "there is no factor 'nois'"),
        (("tracker", "dio", (), "toy.eror"), "there is no metric 'toy.eror'"),
    ],
)
def test_wrong_names_are_told(run: Run, arguments: tuple[Any, ...], said: str) -> None:
    with pytest.raises(PipelineError, match=f"^{said}") as error:
        run.compare(*arguments)
    assert error.value.problems[0].fix in ("tracker", "dio", "noise", "toy.error")


def test_audio_by_levels(run: Run) -> None:
    by_number, rate = run.audio(**DIO, clip=1)
    by_name, _ = run.audio(tracker="dio", noise="clean", target="heart", clip="s01-0", seed=1)
    assert rate == 16000
    assert by_number.dtype == np.float32
    assert np.array_equal(by_number, by_name)
    source, _ = run.audio(**DIO, clip=1, what="source")
    assert not np.array_equal(source, by_number)


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"tracker": "dio"}, "2 cells have tracker=dio: give more levels"),
        ({"tracker": "rmvpe"}, "there is no level of tracker 'rmvpe'"),
        ({**DIO, "clip": 8}, "there is no clip 8: the cell has 8, counted from 0"),
        ({**DIO, "clip": "s09-0"}, "there is no clip 's09-0'"),
        ({**DIO, "seed": 7}, "tracker=dio, noise=clean has no clip s00-0 with the seed 7"),
    ],
)
def test_audio_that_is_not_there(run: Run, levels: dict[str, Any], said: str) -> None:
    with pytest.raises(PipelineError, match=f"^{said}"):
        run.audio(**levels)


def test_kept_sounds_survive_the_store(tmp_path: Path) -> None:
    run = make_run(tmp_path, keep_audio="all")
    expected, _ = run.audio(**DIO)
    shutil.rmtree(tmp_path / "store")
    kept, _ = Run.open(run.folder).audio(**DIO)
    assert np.array_equal(kept, expected)
    shutil.rmtree(run.folder / "audio")
    with pytest.raises(InputError, match=r"the sound of .* is neither in .* nor in the store"):
        Run.open(run.folder).audio(**DIO)


def test_index_does_not_lead_out_of_the_folder(run: Run, copy: Path, tmp_path: Path) -> None:
    row = run.cell_rows()[0]
    (copy / "audio" / "index.json").write_text(f'{{"{row.sound}": "../../secret.wav"}}')
    (tmp_path / "secret.wav").write_bytes(b"RIFF")
    sound, _ = Run.open(copy).sound(row.sound)
    assert np.array_equal(sound, Store(Path(run.manifest.store)).read(row.sound).arrays["audio"])


def test_what_is_no_run_is_told(tmp_path: Path, copy: Path) -> None:
    with pytest.raises(InputError, match=r"nowhere is not the folder of a run: No such file"):
        Run.open(tmp_path / "nowhere")
    with pytest.raises(InputError, match=r"is not the folder of a run: it has no manifest"):
        Run.open(tmp_path)
    (copy / "values.csv").unlink()
    with pytest.raises(InputError, match=r"has no table values"):
        Run.open(copy).value_rows()
    (copy / "tests.csv").write_text("vary,level\na,b,c\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"tests.csv is not the table tests of an experiment"):
        Run.open(copy).test_rows()
    (copy / "failures.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"failures.jsonl cannot be read: cell: Field required"):
        Run.open(copy).failures()
    (copy / "manifest.json").write_text('{"name": 1}', encoding="utf-8")
    with pytest.raises(InputError, match=r"holds a manifest that cannot be read: name: "):
        Run.open(copy)


def test_added_measures_are_shown(run: Run, copy: Path) -> None:
    row = run.cell_rows()[0]
    value = ValueRow(
        cell=row.cell, clip=row.clip, speaker=row.speaker, seed=1, metric="listeners.mos", value=4.5
    )
    added = AddedMeasures(
        name="listeners",
        metrics=(MetricFacts(name="listeners.mos", title="MOS", better="higher"),),
        values=(value,),
    )
    (copy / "added").mkdir()
    (copy / "added" / "listeners.json").write_text(added.model_dump_json(), encoding="utf-8")
    found = Run.open(copy)
    assert found.value_rows()[-1].value == 4.5
    assert found.manifest.metrics[-1].name == "listeners.mos"
    table: Any = found.table()
    assert table.loc[row.cell, "listeners.mos"] == 4.5


def test_effects_are_those_of_the_factors(run: Run) -> None:
    found = run.effects("toy.error")
    assert [effect.factors for effect in found.effects] == [
        ("tracker",),
        ("noise",),
        ("tracker", "noise"),
    ]
    means = found.effects[0].means
    assert means["swift",] - means["dio",] == pytest.approx(-0.135)
