"""Ratings read back: webMUSHRA's CSV, screening, tests, mistakes in files."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.experiments.listening._offline_page import COLUMNS
from voicegraph.experiments.listening.listening_test import Kind, Stimulus
from voicegraph.experiments.listening.read_ratings import ReadRatings, read_ratings
from voicegraph.experiments.listening.write_test import WrittenTest, write_test
from voicegraph.experiments.results.run import Run
from voicegraph.graph.errors import InputError

from ..report.synthetic_run import name_of, on_disk, synthetic_run

SWIFT, DIO = name_of("default", "swift", "clean"), name_of("default", "dio", "clean")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return on_disk(synthetic_run(speakers=8, clips=1, seconds=0.3), tmp_path_factory.mktemp("run"))


def _test(run: Run, folder: Path, kind: Kind, trials: int = 8) -> WrittenTest:
    cells = [
        cell
        for cell in run.manifest.cells
        if (cell.levels["pipeline"], cell.levels["noise"]) == ("default", "clean")
    ]
    return write_test(run, kind, cells, folder / "test", trials=trials)


Score = Callable[[str, Stimulus], Any]


def _csv(written: WrittenTest, path: Path, score: Score, listeners: int = 6) -> Path:
    """A file as webMUSHRA's service writes it, of listeners L0, L1, ..."""
    test = written.test
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["session_test_id", "listener", "trial_id", *COLUMNS[test.kind]])
        for who in (f"L{number}" for number in range(listeners)):
            for stimulus in test.stimuli:
                start, given = [test.id, who, stimulus.trial], score(who, stimulus)
                match test.kind:
                    case "mushra":
                        out.writerow([*start, stimulus.stimulus, given, 900, ""])
                    case "mos":
                        out.writerow([*start, f" {given} ", stimulus.stimulus, 900])
                    case _ if stimulus.role == "system":
                        out.writerow([*start, "reference", stimulus.stimulus, given, 900, ""])
    return path


def _spread(who: str, stimulus: Stimulus) -> float:
    """Listeners and speakers differ."""
    return 3.0 * int(who[1:]) + int(stimulus.speaker) % 7


def _mushra(who: str, stimulus: Stimulus) -> float:
    if stimulus.role == "reference":
        return 100 if who != "L1" else 60
    extra = 0.5 * ((int(who[1:]) * 3 + int(stimulus.speaker)) % 5)
    better = (10 + extra) * (stimulus.cell == SWIFT)
    return 30 + better + _spread(who, stimulus)


def _read(run: Run, written: WrittenTest, *files: Path) -> ReadRatings:
    return read_ratings(run.folder, run.manifest, written.key, files)


def test_mushra_ratings_become_a_metric_of_the_run(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mushra")
    found = _read(run, written, _csv(written, tmp_path / "mushra.csv", _mushra))
    assert found.excluded == {"L1": "rated the hidden reference below 90 in 8 of 8 trials"}
    assert found.listeners == ["L0", "L2", "L3", "L4", "L5"]
    swift = next(test for test in found.measures.tests if test.level == "swift")
    assert (swift.baseline, swift.within) == ("dio", "pipeline=default, noise=clean")
    assert swift.verdict == "better"
    assert 10 < (swift.low or 0) < (swift.difference or 0) < (swift.high or 0) < 13
    opened = Run.open(run.folder)
    assert opened.manifest.metrics[-1].name == "listeners.mushra"
    values = {
        (row.cell, row.clip): row.value
        for row in opened.value_rows()
        if row.metric == "listeners.mushra"
    }
    assert len(values) == 3 * 8
    one = next(s for s in written.test.stimuli if s.cell == SWIFT)
    kept = [_mushra(who, one) for who in found.listeners]
    assert values[SWIFT, one.clip] == pytest.approx(np.mean(kept))
    assert "listeners.mushra" in {row.metric for row in opened.test_rows()}


def test_every_rating_is_kept_with_its_meaning(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mushra")
    _read(run, written, _csv(written, tmp_path / "m.csv", _mushra))
    path = run.folder / "listening" / "mushra-ratings.csv"
    rows = list(csv.DictReader(path.read_text(encoding="utf-8").splitlines()))
    assert len(rows) == 6 * 8 * 5
    assert {row["left_out"] != "" for row in rows if row["listener"] == "L1"} == {True}
    assert {row["role"] for row in rows} == {"reference", "anchor", "system"}


def test_equal_systems_show_no_difference(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mos")
    random = np.random.default_rng(5)
    path = _csv(written, tmp_path / "lss.csv", lambda *_: int(random.integers(1, 6)))
    found = _read(run, written, path)
    assert {test.verdict for test in found.measures.tests} == {"no difference shown"}


def test_preference_is_counted_for_both_sides(run: Run, tmp_path: Path) -> None:
    """ "correct" in webMUSHRA is the reference, which in AB is the baseline."""
    written = _test(run, tmp_path, "ab")

    def prefers_swift(who: str, stimulus: Stimulus) -> str:
        undecided = (int(who[1:]) + int(stimulus.speaker)) % 4 == 0
        return "undecided" if undecided else "incorrect" if stimulus.cell == SWIFT else "correct"

    found = _read(run, written, _csv(written, tmp_path / "pc.csv", prefers_swift))
    tests = {test.level: test for test in found.measures.tests}
    assert tests["swift"].verdict == "better"
    assert tests["praat"].verdict == "worse"
    assert tests["swift"].mean == pytest.approx(1 - (tests["swift"].mean_baseline or 0))
    cells = {value.cell for value in found.measures.values}
    assert cells == {SWIFT, DIO, name_of("default", "praat", "clean")}


def test_guessing_listeners_tell_nothing_apart(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "abx")
    random = np.random.default_rng(6)
    path = _csv(
        written, tmp_path / "pc.csv", lambda *_: str(random.choice(["correct", "incorrect"]))
    )
    found = _read(run, written, path)
    assert {test.mean_baseline for test in found.measures.tests} == {0.5}
    assert {test.verdict for test in found.measures.tests} == {"no difference shown"}


def test_few_listeners_are_described_and_not_tested(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mos")
    path = _csv(written, tmp_path / "lss.csv", lambda who, s: 2 + len(s.cell) % 3, listeners=2)
    found = _read(run, written, path)
    test = found.measures.tests[0]
    assert test.verdict == "not tested"
    assert test.why == "2 listeners and 8 speakers; a test needs 4 and 6"
    assert test.difference is not None


def test_several_files_are_one_test(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mos")
    whole = _csv(
        written, tmp_path / "whole.csv", lambda who, s: 1 + (int(who[1:]) + len(s.cell)) % 5
    )
    head, *lines = whole.read_text(encoding="utf-8").splitlines()
    parts = []
    for number in range(6):
        parts.append(tmp_path / f"part{number}.csv")
        mine = [line for line in lines if f",L{number}," in line]
        parts[-1].write_text("\ufeff" + "\r\n".join([head, *mine]), encoding="utf-8")
    assert _read(run, written, *parts).measures == _read(run, written, whole).measures


def test_columns_of_the_questionnaire_name_the_listener(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mos")
    path = _csv(written, tmp_path / "lss.csv", lambda who, s: 1 + (int(who[1:]) + len(s.cell)) % 5)
    text = path.read_text(encoding="utf-8").replace("listener", "age,email")
    path.write_text("".join(line.replace(",L", ",33,L", 1) for line in text.splitlines(True)))
    assert _read(run, written, path).listeners == [f"L{n}" for n in range(6)]


def test_listener_who_says_the_same_of_all_is_left_out(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mos")
    path = _csv(
        written,
        tmp_path / "lss.csv",
        lambda who, s: 4 if who == "L3" else 1 + len(s.cell) % 4 + (s.speaker == "103"),
    )
    found = _read(run, written, path)
    assert found.excluded == {"L3": "gave 4 to all 24 sounds"}


def test_nobody_left_is_an_error(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mos")
    path = _csv(written, tmp_path / "lss.csv", lambda *_: 3)
    with pytest.raises(InputError, match="leaves no listener") as error:
        _read(run, written, path)
    assert "L0 gave 3 to all 24 sounds" in str(error.value)


def _spoilt(text: str, how: str) -> str:
    first = text.splitlines()[1]
    return {
        "another test": text.replace("mos-", "mos-x"),
        "no such sound": text.replace(",c0", ",c9", 1),
        "beyond the scale": text.replace(first, first.replace(first.split(",")[3], "6")),
        "no number": text.replace(first, first.replace(first.split(",")[3], "good")),
        "a field more": text.replace(first, first + ",1"),
        "a column less": text.replace("stimuli_rating", "rating"),
        "another kind": text.replace("stimuli_rating,stimuli,", "rating_stimulus,rating_score,"),
        "twice": text + "\r\n".join(text.splitlines()[1:]),
        "empty": "",
        "no answers": text.splitlines()[0],
    }[how]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ("another test", "another draw is another test"),
        ("no such sound", "there is no sound 'c9"),
        ("beyond the scale", "expected a number from 1 to 5, found '6'"),
        ("no number", "expected a number from 1 to 5, found 'good'"),
        ("a field more", "line 2 has another number of fields"),
        ("a column less", "lacks the column stimuli_rating"),
        ("another kind", "it holds ratings of a mushra test, and this is a mos test"),
        ("twice", "more than once"),
        ("empty", "lacks the columns"),
        ("no answers", "there is no answer in it"),
    ],
)
def test_mistakes_in_a_file_are_named(run: Run, tmp_path: Path, how: str, said: str) -> None:
    written = _test(run, tmp_path, "mos", trials=1)
    path = _csv(written, tmp_path / "lss.csv", lambda who, s: 3, listeners=1)
    path.write_text(_spoilt(path.read_text(encoding="utf-8"), how), encoding="utf-8")
    with pytest.raises(InputError) as error:
        _read(run, written, path)
    assert said in str(error.value)


def test_key_of_another_experiment_is_refused(run: Run, tmp_path: Path) -> None:
    written = _test(run, tmp_path, "mos", trials=1)
    text = written.key.read_text(encoding="utf-8").replace("tracker=", "contender=")
    written.key.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="belongs to another experiment"):
        _read(run, written, tmp_path / "lss.csv")
