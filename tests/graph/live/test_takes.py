"""Takes of a live session: named by date, marked, replayed."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph.errors import OutputError, StateError
from voicegraph.graph.files.recordings.compare import compare
from voicegraph.graph.files.recordings.reader import open_recording
from voicegraph.graph.files.recordings.replay import plan_of
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.schemas.live_command import Mark, Record, SetParam

from .conftest import RATE

Make = Callable[..., LiveSession]


class _Running:
    """A live session in simulated time."""

    def __init__(self, live: LiveSession, sound: Any) -> None:
        self.live = live
        end = SimulatedDevice(RATE, 480)
        self.simulation = Simulation(live.loop, end, end, sound, cost=lambda _: 0.001)
        self.simulation.run(3)

    def record(self, on: bool) -> None:
        """Begins or ends a take, from another thread."""
        thread = threading.Thread(target=self.live.command, args=(Record(on=on),))
        thread.start()
        while thread.is_alive():
            self.simulation.run(0.02)
            thread.join(0.001)


@pytest.fixture
def running(make_live: Make, sine: Any, tmp_path: Path) -> _Running:
    return _Running(make_live(takes=tmp_path / "takes"), sine(440))


def test_take_with_marks_replays(running: _Running, tmp_path: Path) -> None:
    live = running.live
    for _ in range(2):  # in one second: two names
        running.record(True)
        running.simulation.run(0.1)
        live.command(Mark(text="here"))
        live.command(SetParam(param="pass.db", value=-3.0))
        running.simulation.run(0.1)
        take = live.status().take
        assert take is not None
        assert (take.marks, take.stopped) == (1, None)
        running.record(False)
        assert live.status().take is None
    one, two = live.takes.finished
    assert one.parent == tmp_path / "takes"
    assert re.fullmatch(r"\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d", one.stem)
    assert two != one
    for path in (one, two):
        recording = open_recording(path)
        report = compare(plan_of(recording), recording)
        assert report.result == "identical"
        assert 0.16 <= report.seconds <= 0.4
        [mark] = [event for event in report.events if event.mark]
        assert mark.text == "mark: here"
        assert 0.08 <= mark.second <= 0.14
    assert f"(voicegraph replay {two})" in live.messages.texts[-1]


def test_take_ends_with_the_session(running: _Running) -> None:
    running.record(True)
    running.simulation.run(0.2)
    live = running.live
    live.stop()
    path = live.status().recording
    assert path is not None
    recording = open_recording(path)
    assert compare(plan_of(recording), recording).result == "identical"


def test_commands_without_a_take_are_refused(running: _Running) -> None:
    for command in (Mark(), Record(on=False)):
        with pytest.raises(StateError, match="no take is being recorded"):
            running.live.command(command)


def test_session_without_a_folder_refuses_takes(make_live: Make) -> None:
    with pytest.raises(StateError) as caught:
        make_live().command(Record())
    assert caught.value.problems[0].fix == "start the session with --takes DIR"


def test_second_take_is_refused(running: _Running) -> None:
    running.record(True)
    with pytest.raises(StateError, match="is being recorded already"):
        running.live.command(Record())


def test_folder_that_cannot_be_made_is_named(make_live: Make, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    live = make_live(takes=tmp_path / "file" / "takes")
    with pytest.raises(OutputError, match="takes cannot be written"):
        live.command(Record())
    assert live.status().take is None


def test_free_space_of_a_folder_that_is_still_to_be_made(make_live: Make, tmp_path: Path) -> None:
    live = make_live(takes=tmp_path / "not" / "there")
    deadline = time.monotonic() + 20
    while live.status().health.takes_free_bytes is None:
        assert time.monotonic() < deadline
        time.sleep(0.002)
    assert not (tmp_path / "not").exists()
