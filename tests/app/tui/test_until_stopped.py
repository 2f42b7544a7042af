from __future__ import annotations

import threading

import pytest

from voicegraph.app.tui._until_stopped import pause, until_stopped


def test_the_session_ends_with_the_block(live) -> None:
    with until_stopped(live):
        assert live.stop_asked == 0
    assert live.stopped.is_set()


def test_ctrl_c_is_no_error(live) -> None:
    with until_stopped(live):
        raise KeyboardInterrupt
    assert live.stopped.is_set()


def test_errors_pass_when_the_session_has_ended(live) -> None:
    with pytest.raises(BrokenPipeError), until_stopped(live):
        raise BrokenPipeError
    assert live.stopped.is_set()


def test_ctrl_c_again_leaves_a_session_that_does_not_end(live, monkeypatch) -> None:
    live.obeys = False

    def interrupt(timeout: float | None = None) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(live.stopped, "wait", interrupt)
    with pytest.raises(KeyboardInterrupt), until_stopped(live):
        pass
    assert live.stop_asked == 1


def test_waits_for_the_end(live) -> None:
    live.obeys = False
    ended = []

    def end() -> None:
        ended.append(True)
        live.stopped.set()

    timer = threading.Timer(0.02, end)
    timer.start()
    with until_stopped(live):
        pass
    assert ended
    timer.join()


def test_pause_ends_early_and_in_slices(live, monkeypatch) -> None:
    waited: list[float] = []

    def wait(timeout: float) -> bool:
        waited.append(timeout)
        return False

    monkeypatch.setattr(live.stopped, "wait", wait)
    assert not pause(live, 1.1)
    assert sum(waited) == pytest.approx(1.1)
    assert max(waited) <= 0.25  # Ctrl-C is heard in between, on Windows too
    monkeypatch.setattr(live.stopped, "wait", lambda timeout: True)
    assert pause(live, 3600)
