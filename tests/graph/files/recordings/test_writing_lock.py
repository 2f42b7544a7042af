"""A recording says that it is being written until all its files are finished."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from voicegraph.graph.files.recordings._growing_wave import GrowingWave
from voicegraph.graph.files.recordings.writing_lock import is_being_written
from voicegraph.graph.pipeline import Pipeline, node


def _pipeline() -> Pipeline:
    return Pipeline(block="10ms", nodes={"out": node("dsp.gain", "input")}, output="out")


def test_recording_is_written_until_its_session_closes(tmp_path: Path) -> None:
    path = tmp_path / "take.jsonl"
    assert not is_being_written(path)
    with _pipeline().session(record=path, warm_up=False) as session:
        session.push(np.zeros(4800, np.float32))
        assert is_being_written(path)
        assert is_being_written(path), "asking changes nothing"
    assert not is_being_written(path)


def test_take_that_ends_is_written_until_its_sound_is_on_the_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, held, ended = tmp_path / "take.jsonl", threading.Event(), threading.Event()
    write = GrowingWave.write

    def slowly(wave: GrowingWave, block: np.ndarray) -> None:
        held.wait(20)
        write(wave, block)

    with _pipeline().session(warm_up=False) as session:
        session.start_recording(path, waits=False)
        session.push(np.zeros(4800, np.float32))
        monkeypatch.setattr(GrowingWave, "write", slowly)
        session.push(np.zeros(4800, np.float32))

        def stop() -> None:
            session.stop_recording()
            ended.set()

        stopping = threading.Thread(target=stop)
        stopping.start()
        assert not ended.wait(0.2)
        assert is_being_written(path)
        held.set()
        stopping.join(20)
        assert not is_being_written(path)


def test_killed_writer_leaves_no_lock(tmp_path: Path) -> None:
    path = tmp_path / "take.jsonl"
    script = (
        "import sys; from voicegraph.graph.files.recordings.writing_lock import lock_while_open\n"
        f"file = open({str(path)!r}, 'w'); lock_while_open(file.fileno())\n"
        "print('locked', flush=True); sys.stdin.read()"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdout is not None
    assert writer.stdout.readline().strip() == b"locked"
    assert is_being_written(path)
    writer.kill()
    writer.communicate()
    assert not is_being_written(path)
