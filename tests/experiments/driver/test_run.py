"""A run as a whole: what is there is not computed again, what fails fails alone."""

from __future__ import annotations

import csv
import json
import signal
from pathlib import Path

import numpy as np
import pytest

from voicegraph.experiments.driver import run
from voicegraph.experiments.driver.listener import Listener
from voicegraph.experiments.driver.run import FinishedRun
from voicegraph.experiments.engines.serial import Serial
from voicegraph.experiments.report import _media, page_sound
from voicegraph.experiments.store import DiskFullError, Store
from voicegraph.experiments.task import Outcome, Result, Task
from voicegraph.graph.files import atomic_write

from .conftest import RunIt

BAD = """\
from voicegraph.graph import register
from voicegraph.nodes.dsp.gain import Gain

@register("my.gain")
class Mine(Gain):
    def process(self, *given, **named):
        raise ValueError("no gain today")  # body
"""
LEVELS = {"factors.gain": {"swap": "gain", "levels": {"good": "dsp.gain", "mine": "my.gain"}}}
BASELINE = {"compare": [{"vary": "gain", "baseline": "good", "metrics": {"level.rms": {}}}]}


def _values(found: FinishedRun) -> list[list[str]]:
    with (found.run.folder / "values.csv").open(newline="") as file:
        return sorted(csv.reader(file))


def _journal(folder: Path) -> list[dict[str, object]]:
    lines = (folder / "journal.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_what_was_computed_is_not_computed_again(run_it: RunIt, folder: Path) -> None:
    first = run_it()
    assert first.computed == first.total > 0
    assert (first.stored, first.failed, first.untried, first.stopped) == (0, [], 0, False)
    assert first.page is not None
    assert first.page.is_file()
    values = _values(first)
    again = run_it()
    assert (again.computed, again.stored) == (0, first.total)
    assert _values(again) == values
    done = [line["key"] for line in _journal(folder / "out") if line["event"] == "done"]
    assert len(done) == len(set(done)) == first.total


def test_another_folder_gives_the_same_values(run_it: RunIt) -> None:
    assert _values(run_it(out="a")) == _values(run_it(out="b"))


class Elsewhere(Serial):
    """Computes here, as if it were elsewhere."""

    name = "elsewhere"


def test_workers_encode_what_the_page_plays(run_it: RunIt, monkeypatch: pytest.MonkeyPatch) -> None:
    stages: list[str] = []
    monkeypatch.setattr(run, "_WORTH_WORKERS", 4)
    monkeypatch.setattr(Listener, "stage", lambda _, name: stages.append(name))
    monkeypatch.setattr(_media, "page_sound", _never)
    first = run_it(engine=Elsewhere)
    assert (first.failed, first.why_no_page) == ([], None)
    assert "encoding the sounds of the page" in stages
    stages.clear()
    monkeypatch.setattr(page_sound, "page_sound", _never)
    again = run_it(engine=Elsewhere)
    assert "encoding the sounds of the page" not in stages
    assert again.page is not None
    assert "audio/ogg" in again.page.read_text(encoding="utf-8")
    assert again.run.report(again.page.with_name("another.html")).read_bytes() == (
        again.page.read_bytes()
    )


def _never(*_: object) -> Result:
    raise AssertionError("a sound is encoded again")


def test_a_level_that_is_added_is_all_that_is_computed(run_it: RunIt) -> None:
    first = run_it()
    more = run_it({"factors.gain.values": [0, -6, -12]})
    assert more.stored == first.total
    assert more.computed == more.total - first.total > 0
    assert {row[0] for row in _values(more)} == {"cell", "gain=0", "gain=-6", "gain=-12"}


def test_a_node_that_fails_fails_its_cells_alone(run_it: RunIt, folder: Path) -> None:
    (folder / "my.py").write_text(BAD)
    mine = {"nodes": ["my.py"], **LEVELS, **BASELINE}
    found = run_it(mine)
    (task, outcome), *_ = found.failed
    assert len(found.failed) == 3
    assert outcome.failure is not None
    assert outcome.failure.node == "gain"
    assert "no gain today" in outcome.failure.message
    assert task.label.startswith("gain=mine")
    assert found.untried > 0
    assert found.run.exit_code == 8
    good = [row for row in _values(found) if row[0] == "gain=good"]
    assert good
    assert all(row[5] for row in good)

    tried = [line for line in _journal(folder / "out") if line["event"] == "failed"]
    again = run_it(mine)
    assert (again.computed, len(again.failed)) == (0, 3)
    assert [line for line in _journal(folder / "out") if line["event"] == "failed"] == tried

    (folder / "my.py").write_text(
        BAD.replace('raise ValueError("no gain today")', "return super().process(*given, **named)")
    )
    mended = run_it(mine)
    assert mended.failed == []
    assert mended.stored == found.total - 6
    assert mended.computed == 6, "the conversions and observations of its three clips"


def test_what_failed_is_tried_again_when_asked(run_it: RunIt, folder: Path) -> None:
    (folder / "my.py").write_text(BAD)
    mine = {"nodes": ["my.py"], **LEVELS, **BASELINE}
    run_it(mine)
    again = run_it(mine, retry_failed=True)
    assert len(again.failed) == 3
    failed = [line["key"] for line in _journal(folder / "out") if line["event"] == "failed"]
    assert len(failed) == 6
    assert len(set(failed)) == 3


def test_the_first_failure_can_end_it(run_it: RunIt, folder: Path) -> None:
    (folder / "my.py").write_text(BAD)
    found = run_it({"nodes": ["my.py"], **LEVELS, **BASELINE}, fail_fast=True)
    assert len(found.failed) == 1
    assert not found.stopped
    assert found.run.exit_code == 8


@pytest.mark.parametrize("each", [1, 3], ids=["all", "every-third"])
def test_damaged_results_are_made_again(run_it: RunIt, folder: Path, each: int) -> None:
    first = run_it()
    values = _values(first)
    for path in sorted((folder / "out" / "store").glob("??/*.safetensors"))[::each]:
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(data)
    assert _values(run_it()) == values
    events = [line["event"] for line in _journal(folder / "out")]
    assert "damaged" in events
    assert events.count("done") > first.total


def test_a_part_of_the_grid_can_be_run(run_it: RunIt) -> None:
    from voicegraph.experiments.file.cell_pattern import CellPattern

    part = run_it(only=CellPattern.parse("gain=-6"))
    cells = {row.cell: row.status for row in part.run.cell_rows()}
    assert cells == {"gain=0": "missing", "gain=-6": "done"}
    whole = run_it()
    assert whole.stored == part.total
    assert whole.computed == whole.total - part.total


def test_a_pilot_takes_a_clip_of_each_of_two_speakers(run_it: RunIt) -> None:
    pilot = run_it(pilot=True)
    done = {(row.cell, row.clip) for row in pilot.run.cell_rows() if row.status == "done"}
    assert done == {(f"gain={g}", clip) for g in ("0", "-6") for clip in ("anna-1", "ben-1")}


# ---- stops


class _Stops(Listener):
    """Presses Ctrl-C when so many tasks have ended."""

    def __init__(self, after: int, times: int = 1) -> None:
        self.after, self.times, self.told = after, times, 0

    def ended(self, task: Task, outcome: Outcome) -> None:
        self.after -= 1
        if self.after == 0:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def stopping(self) -> None:
        self.told += 1


def test_ctrl_c_writes_what_is_there_and_the_same_call_goes_on(run_it: RunIt) -> None:
    listener = _Stops(after=5)
    part = run_it(listener=listener)
    assert part.stopped
    assert listener.told == 1
    assert 5 <= part.computed < part.total
    assert part.page is not None
    assert "missing" in {row.status for row in part.run.cell_rows()}
    whole = run_it()
    assert not whole.stopped
    assert whole.stored == part.computed
    assert {row.status for row in whole.run.cell_rows()} == {"done"}


def test_ctrl_c_twice_ends_at_once(run_it: RunIt, folder: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        run_it(listener=_Stops(after=5, times=2))
    assert not (folder / "out" / "values.csv").exists()
    assert run_it().stored == 5


# ---- verification


def test_stored_results_are_computed_anew_and_compared(run_it: RunIt, folder: Path) -> None:
    first = run_it()
    same = run_it(verify=1.0)
    assert (same.verified, same.differing) == (first.total, [])
    store = Store(folder / "out" / "store")
    key = next(k for k in list(store.keys()) if store.record(k).kind == "convert")
    sound = store.read(key)
    other = {"audio": np.nextafter(sound.arrays["audio"], np.float32(1))}
    store.write(key, Result({**sound.arrays, **other}, sound.about), kind="convert")
    found = run_it(verify=1.0)
    differing = {task.key: outcome for task, outcome in found.differing}
    assert key in differing
    failure = differing[key].failure
    assert failure is not None
    assert failure.code == "result-differs"
    np.testing.assert_array_equal(store.read(key).arrays["audio"], other["audio"])


def test_a_small_share_is_one_result_at_least(run_it: RunIt) -> None:
    run_it()
    assert run_it(verify=1e-6).verified == 1


# ---- the disk


def test_a_full_disk_ends_it_and_the_same_call_goes_on(
    run_it: RunIt, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written: list[Path] = []

    def sync(path: Path, flags: int) -> None:
        written.append(path)
        if len(written) > 4:
            raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(atomic_write, "_sync", sync)
        with pytest.raises(DiskFullError, match="results are missing, about"):
            run_it()
    assert not list(folder.rglob("*.part"))
    whole = run_it()
    assert whole.stored + whole.computed == whole.total
    assert whole.stored > 0
