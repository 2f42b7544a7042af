"""The thread that writes for one that must not wait; and the files of nodes that it writes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.graph.errors import OutputError
from voicegraph.graph.files.sound.writer import AudioWriter
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime import background_writer
from voicegraph.graph.runtime.background_writer import BackgroundWriter
from voicegraph.graph.runtime.session import Session


@pytest.fixture
def gate() -> Iterator[threading.Event]:
    """Opened at the end, so that no thread is left waiting."""
    event = threading.Event()
    yield event
    event.set()


def _wait(gate: threading.Event) -> None:
    gate.wait(10)


def test_functions_run_in_order_and_close_waits() -> None:
    done: list[int] = []
    writer = BackgroundWriter("test-writer", 100)
    assert all(writer.submit(lambda i=i: done.append(i)) for i in range(50))
    writer.close()
    writer.close()
    assert done == list(range(50))
    assert writer.pending == 0


def test_full_queue_refuses_at_once(gate: threading.Event) -> None:
    writer = BackgroundWriter("test-writer", 2)
    results = [writer.submit(partial(_wait, gate)) for _ in range(6)]
    assert results[:2] == [True, True]
    assert results[-1] is False
    gate.set()
    writer.close()
    assert writer.failed is None


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(28, "No space left on device"), "No space left on device"),
        (ZeroDivisionError("x"), "ZeroDivisionError: x"),
    ],
)
def test_after_an_error_nothing_runs(error: Exception, said: str) -> None:
    done: list[int] = []

    def fail() -> None:
        raise error

    writer = BackgroundWriter("test-writer", 9)
    writer.submit(fail)
    writer.submit(lambda: done.append(1))
    writer.close()
    assert writer.failed == said
    assert not writer.submit(lambda: done.append(2))
    assert not done


def test_disk_that_does_not_respond_is_given_up(
    gate: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background_writer, "_STUCK_S", 0.01)
    for length in (1, 9):
        writer = BackgroundWriter("test-writer", length)
        writer.submit(partial(_wait, gate))
        writer.submit(lambda: None)
        writer.close()
        assert writer.failed == "the disk does not respond"


# ---- files of nodes ---------------------------------------------------------------------------


def _pipeline(path: Path) -> Pipeline:
    nodes = {"probe": node("io.probe", "input", file=str(path))}
    return Pipeline(block="10ms", input={"rate": 1000}, nodes=nodes, output="probe")


def test_files_of_nodes_are_written_by_another_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    write = AudioWriter.write

    def noting(self: AudioWriter, samples: np.ndarray) -> None:
        threads.add(threading.current_thread().name)
        write(self, samples)

    monkeypatch.setattr(AudioWriter, "write", noting)
    x = np.linspace(0, 1, 100, dtype=np.float32)
    with _pipeline(tmp_path / "a.wav").session(record_waits=False) as session:
        session.push(x)
    assert threads == {"voicegraph-files"}
    np.testing.assert_array_equal(soundfile.read(tmp_path / "a.wav", dtype="float32")[0], x)


def test_dropped_blocks_are_silence_in_place_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, gate: threading.Event
) -> None:
    monkeypatch.setattr("voicegraph.graph.runtime._file_sink._QUEUE_LENGTH", 2)
    begun, write = threading.Event(), AudioWriter.write

    def slow(self: AudioWriter, samples: np.ndarray) -> None:
        begun.set()
        gate.wait(10)
        write(self, samples)

    monkeypatch.setattr(AudioWriter, "write", slow)
    x = np.arange(1, 101, dtype=np.float32)
    session = _pipeline(tmp_path / "a.wav").session(record_waits=False, warm_up=False)
    session.push(x[:10])
    assert begun.wait(10)
    session.push(x[10:90])
    assert session.file_faults == [
        f"probe: {tmp_path / 'a.wav'} lacks 6 blocks, with silence in their place: "
        "the disk is too slow"
    ]
    gate.set()
    while (files := session._files.node_files) and files._background.pending:  # pyright: ignore
        pass
    session.push(x[90:])
    with pytest.raises(OutputError, match="lacks 6 blocks"):
        session.close()
    session.close()
    heard = soundfile.read(tmp_path / "a.wav", dtype="float32")[0]
    np.testing.assert_array_equal(heard, [*x[:30], *[0] * 60, *x[90:]])


def _push_and_close(session: Session) -> None:
    session.push(np.zeros(100, np.float32))
    session.close()


@pytest.mark.parametrize("waits", [True, False])
def test_full_disk_leaves_no_half_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    def full(self: AudioWriter, samples: np.ndarray) -> None:
        from voicegraph.graph.files.atomic_write import cannot_write

        raise cannot_write(self.path, OSError(28, "No space left on device"))

    monkeypatch.setattr(AudioWriter, "write", full)
    session = _pipeline(tmp_path / "a.wav").session(record_waits=waits, warm_up=False)
    with pytest.raises(OutputError, match=r"probe: .*a\.wav cannot be written: No space") as caught:
        _push_and_close(session)
    assert len(caught.value.problems) == 1
    session.close()
    assert not list(tmp_path.iterdir())
