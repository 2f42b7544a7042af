"""Writing a run, whole or in part."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from voicegraph.experiments.compiled import CompiledExperiment, Contrast
from voicegraph.experiments.metric import NotMeasured
from voicegraph.experiments.results.run import Run
from voicegraph.experiments.results.write_run import write_run
from voicegraph.experiments.store import DamagedResultError, Store
from voicegraph.experiments.task import Failure, Outcome

from .synthetic import EAR, Synthetic, key, mean_of

Written = Callable[..., Run]
TESTED = ("toy.error", "cost.cpu_ms", "latency.algorithmic_ms")
CONTRAST = Contrast("tracker", "dio", ("noise",), dict.fromkeys(TESTED))


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "store")


def _write(
    tmp_path: Path, store: Store, made: Synthetic, name: str = "run", **options: object
) -> Run:
    compiled = made.fill(made.compiled(), store)
    return write_run(compiled, [], store, tmp_path / name, format="csv", **options)  # pyright: ignore[reportArgumentType]


def test_folder_holds_everything(tmp_path: Path, store: Store) -> None:
    run = _write(tmp_path, store, Synthetic(contrasts=(CONTRAST,)), command=("voicegraph", "run"))
    files = {path.name for path in run.folder.iterdir()}
    assert files == {
        *("experiment.yaml", "resolved.yaml", "manifest.json", "failures.jsonl", "summary.md"),
        *("cells.csv", "values.csv", "costs.csv", "tests.csv", "audio"),
    }
    facts = run.manifest
    assert facts.command == ("voicegraph", "run")
    assert facts.statistics_refused is None
    assert facts.packages["numpy"]
    assert facts.licences["voice"] == "CC0"
    assert len(facts.plans) == 2
    assert facts.stopped is False
    assert run.exit_code == 0
    resolved = yaml.safe_load((run.folder / "resolved.yaml").read_text(encoding="utf-8"))
    assert resolved == {"clips": {"files": "speech/*.flac"}, "description": "made up"}
    assert key("clip", 0, 0) in (run.folder / "resolved.yaml").read_text(encoding="utf-8")


def test_tests_follow_the_contrasts(tmp_path: Path, store: Store) -> None:
    run = _write(tmp_path, store, Synthetic(contrasts=(CONTRAST,)))
    rows = run.test_rows()
    assert [(row.within, row.metric) for row in rows] == [
        (f"noise={noise}", metric) for noise in ("clean", "pink") for metric in TESTED
    ]
    error, cpu, latency = rows[:3]
    assert error.difference == pytest.approx(-0.135)
    assert (error.n, error.p, error.p_corrected) == (8, 2 / 256, 4 / 256)
    assert error.verdict == "better"
    assert (cpu.difference, cpu.low, cpu.high, cpu.p) == (2.0, 1.9, 2.1, None)
    assert cpu.verdict == "worse"
    assert (latency.mean, latency.difference, latency.verdict) == (120.0, 0.0, "equivalent")


def test_the_same_results_give_the_same_bytes(tmp_path: Path, store: Store) -> None:
    for format in ("csv", "parquet"):  # noqa: A001
        made = Synthetic()
        compiled = made.fill(made.compiled(), store)
        shuffled = replace(compiled, items=list(reversed(compiled.items)))
        for name, one in (("a", compiled), ("b", shuffled)):
            write_run(one, [], store, tmp_path / name, format=format)  # pyright: ignore[reportArgumentType]
        for table in ("cells", "values", "costs", "tests"):
            name = f"{table}.{format}"
            assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
        assert not list((tmp_path / "a").glob("*.csv" if format == "parquet" else "*.parquet"))


def test_seeds_and_clips_are_averaged_within_a_speaker(tmp_path: Path, store: Store) -> None:
    def number(levels: dict[str, str], speaker: str, clip: str, seed: int, metric: str) -> float:
        shift = (levels["tracker"] == "swift") * 0.01 * (1 + int(speaker[1:]))
        return shift + {1: 0.0, 2: 10.0}[seed] + int(clip[-1])

    made = Synthetic(each=3, seeds=(1, 2), number=number, contrasts=(CONTRAST,))
    row = _write(tmp_path, store, made).test_rows()[0]
    assert row.n == 8
    assert row.mean_baseline == pytest.approx(6.0)
    assert row.difference == pytest.approx(0.045)


def test_factors_that_are_not_held_are_averaged(tmp_path: Path, store: Store) -> None:
    open_contrast = replace(CONTRAST, within=(), metrics={"toy": 0.5})
    run = _write(tmp_path, store, Synthetic(contrasts=(open_contrast,)))
    assert [(row.within, row.metric, row.n) for row in run.test_rows()] == [
        ("", "toy.error", 8),
        ("", "toy.score", 8),
    ]
    assert run.test_rows()[0].mean_baseline == pytest.approx(0.67)
    assert run.test_rows()[0].equivalent is True


def _without(store: Store, compiled: CompiledExperiment, cell: str, clips: int) -> list[str]:
    """Removes what was made of the last clips of a cell; the keys."""
    items = [item for item in compiled.items if item.cell == cell][-clips:]
    for item in items:
        store.remove(item.made)
        store.remove(key("observe", item.made))
    return [item.made for item in items]


def test_a_part_is_written_and_tested_on_what_both_have(tmp_path: Path, store: Store) -> None:
    made = Synthetic(contrasts=(CONTRAST,))
    compiled = made.fill(made.compiled(), store)
    _without(store, compiled, "tracker=swift, noise=clean", 2)
    _without(store, compiled, "tracker=swift, noise=pink", 3)
    run = write_run(compiled, [], store, tmp_path / "run", format="csv")
    assert run.manifest.stopped is True
    clean, _, _, pink, *_ = run.test_rows()
    assert (clean.n, clean.mean_baseline, clean.verdict) == (6, pytest.approx(0.55), "better")
    assert (pink.n, pink.p, pink.verdict) == (5, None, "not tested")
    assert pink.why == "5 speakers have a value of both, 6 are needed"
    missing = [row for row in run.value_rows() if row.value is None]
    assert {row.why_null for row in missing} == {"not computed yet"}
    assert len(missing) == 10
    text = (run.folder / "summary.md").read_text(encoding="utf-8")
    assert "27 done, 5 missing" in text
    assert "not complete" in text


def test_failures_name_node_clip_and_reason(tmp_path: Path, store: Store) -> None:
    made = Synthetic(contrasts=(CONTRAST,))
    compiled = made.fill(made.compiled(), store)
    (failed,) = _without(store, compiled, "tracker=swift, noise=pink", 1)
    failure = Failure("node-failed", "it gave NaN", node="f0", second=1.25, fix="mend it")
    outcomes = [
        Outcome(failed, failure, attempts=1, host="host"),
        Outcome(key("observe", failed), Failure("needs-failed", "a need failed")),
    ]
    run = write_run(compiled, outcomes, store, tmp_path / "run", format="csv")
    assert run.exit_code == 8
    (found,) = run.failures()
    assert (found.cell, found.clip, found.node, found.second) == (
        *("tracker=swift, noise=pink", "s07-0", "f0", 1.25),
    )
    (row,) = [row for row in run.cell_rows() if row.status == "failed"]
    assert (row.code, row.clip) == ("node-failed", "s07-0")
    null = [row for row in run.value_rows() if row.value is None]
    assert {row.why_null for row in null} == {"failed: it gave NaN"}
    assert run.test_rows()[3].n == 7
    text = (run.folder / "summary.md").read_text(encoding="utf-8")
    assert (
        "tracker=swift, noise=pink: s07-0, node f0, second 1.25: node-failed: it gave NaN" in text
    )


def test_a_metric_that_raises_fails_alone(tmp_path: Path, store: Store) -> None:
    def broken(heard: object) -> float:
        raise ZeroDivisionError("no frames")

    def silent(heard: object) -> float:
        raise NotMeasured("no voiced frame")

    metrics = [mean_of("error"), replace(mean_of("score"), measure=broken)]
    metrics.append(replace(mean_of("other"), measure=silent))
    run = _write(tmp_path, store, Synthetic(metrics=metrics, speakers=6))
    assert run.exit_code == 8
    assert {failure.code for failure in run.failures()} == {"metric-failed"}
    why = {row.metric: row.why_null for row in run.value_rows()}
    assert why == {
        "toy.error": "",
        "toy.score": "toy.score failed: ZeroDivisionError: no frames",
        "toy.other": "no voiced frame",
    }


def test_an_observation_that_failed_has_a_reason(tmp_path: Path, store: Store) -> None:
    made = Synthetic()
    compiled = made.fill(made.compiled(), store)
    item = compiled.items[0]
    seen = key("observe", item.made)
    store.remove(seen)
    outcome = Outcome(seen, Failure("process-ended", "the worker ended (signal 9)"))
    run = write_run(compiled, [outcome], store, tmp_path / "run", format="csv")
    (found,) = run.failures()
    assert found.message == f"{EAR} of {item.cell}: {item.clip.name}: the worker ended (signal 9)"
    (row,) = [row for row in run.cell_rows() if row.clip == item.clip.name][:1]
    assert row.status == "done"


def test_damaged_results_reach_the_caller(tmp_path: Path, store: Store) -> None:
    made = Synthetic()
    compiled = made.fill(made.compiled(), store)
    damaged = key("observe", compiled.items[0].made)
    (file,) = store.path.glob(f"??/{damaged}-*")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(DamagedResultError, match="is damaged"):
        write_run(compiled, [], store, tmp_path / "run", format="csv")
    assert not (tmp_path / "run").exists()


def test_excluded_cells_say_why(tmp_path: Path, store: Store) -> None:
    name = "tracker=swift, noise=pink"
    made = Synthetic(excluded={name: "block must be 240ms"}, contrasts=(CONTRAST,))
    run = _write(tmp_path, store, made)
    (row,) = [row for row in run.cell_rows() if row.cell == name]
    assert (row.status, row.code) == ("excluded", "block must be 240ms")
    assert {test.within for test in run.test_rows()} == {"noise=clean"}


def test_statistics_are_refused_with_the_setting(tmp_path: Path, store: Store) -> None:
    clips = {"files": "x", "draw": {"speakers": 4}}
    made = Synthetic(speakers=4, resolved={"clips": clips}, contrasts=(CONTRAST,))
    run = _write(tmp_path, store, made)
    assert run.manifest.statistics_refused == (
        "no statistics: the clips are of 4 speakers, 6 are needed"
    )
    error, cpu, *_ = run.test_rows()
    assert (error.verdict, error.p, error.low) == ("not tested", None, None)
    assert error.why == run.manifest.statistics_refused
    assert cpu.verdict == "worse"  # costs need no speakers
    assert "fix: clips.draw.speakers: 6" in (run.folder / "summary.md").read_text(encoding="utf-8")


def test_audio_is_kept_as_the_file_says(tmp_path: Path, store: Store) -> None:
    made = Synthetic()
    for keep, count in (("none", 0), ("all", 40), ("report", None)):
        run = _write(tmp_path, store, made, keep_audio=keep)
        sounds = list((run.folder / "audio").rglob("*.wav"))
        if count is not None:
            assert len(sounds) == count
        else:
            assert 0 < len(sounds) < 40
            index = json.loads((run.folder / "audio" / "index.json").read_text(encoding="utf-8"))
            assert len(index) == len(sounds)
