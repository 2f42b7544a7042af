"""Listening tests as files: one loudness, meaningless names, what webMUSHRA's loader asks for."""

from __future__ import annotations

import csv
import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml

from voicegraph.experiments.listening._loudness import RATE, loudness
from voicegraph.experiments.listening.listening_test import KINDS, Kind, draw_test, read_key
from voicegraph.experiments.listening.write_test import WrittenTest, write_test
from voicegraph.graph.errors import InputError, OutputError, PipelineError
from voicegraph.schemas.experiment_manifest import CellFacts

from ..report.synthetic_run import SyntheticRun, synthetic_run

PAGES = {
    "mushra": "mushra",
    "ab": "paired_comparison",
    "abx": "paired_comparison",
    "mos": "likert_single_stimulus",
}


def _cells(run: SyntheticRun, **levels: str) -> list[CellFacts]:
    return [
        cell
        for cell in run.manifest.cells
        if all(cell.levels[factor] == level for factor, level in levels.items())
    ]


def _written(tmp_path: Path, kind: Kind, seed: int = 1) -> tuple[SyntheticRun, WrittenTest]:
    run = synthetic_run()
    cells = _cells(run, pipeline="default", noise="clean")
    return run, write_test(run, kind, cells, tmp_path / "test", trials=4, seed=seed)


@pytest.mark.parametrize("kind", KINDS)
def test_config_has_what_webmushra_asks_for(tmp_path: Path, kind: Kind) -> None:
    _, written = _written(tmp_path, kind)
    root = written.config.parent.parent
    config = yaml.safe_load(written.config.read_text(encoding="utf-8"))
    assert config["testId"] == written.test.id
    volume, (random, *pages), finish = config["pages"]
    assert (volume["type"], random, finish["type"]) == ("volume", "random", "finish")
    assert finish["questionnaire"][0]["name"] == "listener"
    assert {page["type"] for page in pages} == {PAGES[kind]}
    assert len({page["id"] for page in pages}) == len(pages) == len(written.test.trials())
    for page in pages:
        sounds = [*page["stimuli"].values(), *([page["reference"]] if "reference" in page else [])]
        found = [soundfile.info(root / sound) for sound in sounds]
        assert {(f.samplerate, f.channels, f.subtype) for f in found} == {(RATE, 1, "PCM_16")}
        if kind == "mos":  # since 1.4 the name of the event after which a rating may be given
            assert page["mustPlayback"] == "ended"
        if kind != "mos":  # MushraValidator.checkConditionConsistency
            assert len({f.frames for f in found}) == 1
        if kind == "mushra":  # the hidden reference and the anchor are added by webMUSHRA
            assert page["createAnchor35"] is True
            assert len(page["stimuli"]) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_nothing_tells_a_listener_what_made_a_sound(tmp_path: Path, kind: Kind) -> None:
    run, written = _written(tmp_path, kind)
    for_listeners = written.config.read_text() + written.page.read_text()
    for name in (
        *(c.name for c in run.manifest.cells),
        "swift",
        "praat",
        *(c.name for c in run.manifest.clips),
    ):
        assert name not in for_listeners
    key = {row["file"]: row["cell"] for row in csv.DictReader(written.key.read_text().splitlines())}
    order = [key[name] for name in sorted(key) if key[name]]
    assert order != sorted(order)


def test_names_of_systems_change_from_trial_to_trial(tmp_path: Path) -> None:
    _, written = _written(tmp_path, "mushra")
    names = {(s.cell, s.stimulus) for s in written.test.stimuli if s.role == "system"}
    assert len(names) > 3


def test_all_sounds_have_one_loudness(tmp_path: Path) -> None:
    run = synthetic_run(seconds=1.0)
    quiet = next(row.sound for row in run.cells if row.levels["tracker"] == "praat")
    run.sounds = {**run.sounds, quiet: (run.sounds[quiet][0] * 0.05, 16000)}
    cells = _cells(run, noise="clean")
    written = write_test(run, "mos", cells, tmp_path / "test", trials=12)
    found = [loudness(soundfile.read(path)[0]) for path in written.config.parent.rglob("*.wav")]
    assert len(found) == 72
    assert max(found) - min(found) < 0.1  # type: ignore[operator]  # LU; 16 bits, nothing clipped
    assert max(found) <= -22.9  # type: ignore[operator]


def test_loud_test_is_lowered_as_a_whole(tmp_path: Path) -> None:
    run = synthetic_run(seconds=1.0)
    click = np.zeros(16000, np.float32)
    click[::4000] = 1.0  # little loudness, high peaks
    name = next(row.sound for row in run.cells)
    run.sounds = {**run.sounds, name: (click, 16000)}
    cells = _cells(run, pipeline="world", noise="clean")
    written = write_test(run, "mushra", cells, tmp_path / "test", trials=12)
    sounds = [soundfile.read(path)[0] for path in written.config.parent.rglob("*.wav")]
    assert max(np.abs(sound).max() for sound in sounds) < 0.9
    found = [loudness(sound) for sound in sounds]
    assert max(found) - min(found) < 0.2  # type: ignore[operator]


def test_long_sounds_are_cut_to_what_the_standard_allows(tmp_path: Path) -> None:
    run = synthetic_run(speakers=1, clips=1, seconds=13.0)
    written = write_test(run, "mos", run.manifest.cells[:1], tmp_path / "test", trials=1)
    (path,) = written.config.parent.rglob("*.wav")
    assert soundfile.info(path).frames == 12 * RATE


def test_draw_takes_each_speaker_before_another_twice() -> None:
    run = synthetic_run()
    test = draw_test(run.manifest, run.cells, "mos", run.manifest.cells[:2], trials=6, seed=3)
    assert set(Counter(s.speaker for s in test.stimuli).values()) == {2}
    again = draw_test(run.manifest, run.cells, "mos", run.manifest.cells[:2], trials=6, seed=3)
    other = draw_test(run.manifest, run.cells, "mos", run.manifest.cells[:2], trials=6, seed=4)
    assert test == again
    assert test.id != other.id


def test_draw_does_not_look_at_results() -> None:
    run = synthetic_run()
    cells = run.manifest.cells[:3]
    first = draw_test(run.manifest, run.cells, "mushra", cells, trials=4, seed=1)
    run.values = [replace(row, value=0.0) for row in run.values]
    assert draw_test(run.manifest, run.cells, "mushra", cells, trials=4, seed=1) == first


def test_only_clips_that_all_cells_have_are_drawn() -> None:
    run = synthetic_run()
    lost = run.cells[0].cell, run.cells[0].clip
    rows = [replace(r, status="failed") if (r.cell, r.clip) == lost else r for r in run.cells]
    cells = [cell for cell in run.manifest.cells if cell.name == lost[0]]
    test = draw_test(run.manifest, rows, "mos", cells, trials=99, seed=1)
    assert len(test.trials()) == 11
    assert lost[1] not in {s.clip for s in test.stimuli}


def test_pairs_differ_in_the_compared_factor_alone() -> None:
    run = synthetic_run()
    test = draw_test(run.manifest, run.cells, "ab", run.manifest.cells, trials=1, seed=1)
    pairs = {tuple(s.cell for s in stimuli) for stimuli in test.trials().values()}
    assert len(pairs) == 8
    assert all(a.replace("dio", x) == b for a, b in pairs for x in ("swift", "praat") if x in b)


def test_key_comes_back(tmp_path: Path) -> None:
    _, written = _written(tmp_path, "abx")
    assert read_key(written.key).stimuli == list(written.test.stimuli)


def test_key_is_not_overwritten(tmp_path: Path) -> None:
    run, _ = _written(tmp_path, "mos")
    with pytest.raises(OutputError, match=r"ratings of that test cannot be read"):
        write_test(run, "mos", run.manifest.cells[:1], tmp_path / "test")


@pytest.mark.parametrize(
    ("kind", "count", "message"),
    [
        ("mushra", 11, "so 10 cells; there are 11"),
        ("mushra", 1, "at least 2 cells, and there are 1"),
        ("ab", 1, "at least 2 cells"),
        ("mos", 0, "at least 1 cells, and there are 0"),
    ],
)
def test_wrong_number_of_cells(tmp_path: Path, kind: Kind, count: int, message: str) -> None:
    run = synthetic_run()
    with pytest.raises(PipelineError, match=message) as error:
        write_test(run, kind, run.manifest.cells[:count], tmp_path / "test")
    assert "--only" in (error.value.problems[0].fix or "")


def test_missing_sounds_are_said(tmp_path: Path) -> None:
    run = synthetic_run()
    run.sounds = {}
    with pytest.raises(InputError, match="no longer in the store"):
        write_test(run, "mos", run.manifest.cells[:1], tmp_path / "test")
    assert not (tmp_path / "test").exists()


@pytest.mark.parametrize(
    "text",
    ["", "a,b\n1,2\n", "test,kind\nx,mos\n", "\x00\xff"],
    ids=["empty", "other", "few", "binary"],
)
def test_wrong_key_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "key.csv").write_text(text, encoding="latin-1")
    with pytest.raises(InputError, match="not the key of a listening test"):
        read_key(tmp_path / "key.csv")


def test_page_has_all_sounds_inside(tmp_path: Path) -> None:
    _, written = _written(tmp_path, "mushra")
    text = written.page.read_text(encoding="utf-8")
    block = text[text.index('id="media">') + 11 :]
    data = json.loads(block[: block.index("</script>")])
    used = {s["sound"] for t in data["test"]["trials"] for s in t["stimuli"]}
    assert used == set(data["sounds"])
    assert len(data["test"]["trials"]) == 4
    assert {len(trial["stimuli"]) for trial in data["test"]["trials"]} == {5}
