"""Priority of the engine thread: what is requested of each system, refusals, what is untouched."""

from __future__ import annotations

import ctypes
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from voicegraph.graph.live._thread_priority import (
    autogroup_remark,
    lower_priority,
    normal_priority,
    raise_priority,
)
from voicegraph.graph.live.session import LiveSession

linux = pytest.mark.skipif(sys.platform != "linux", reason="SCHED_FIFO is asked for on Linux")


def _refuse(error: OSError) -> Any:
    def refuses(*_: Any) -> None:
        raise error

    return refuses


@linux
def test_linux_gets_low_real_time_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "sched_setscheduler", lambda *what: asked.append(what))
    assert raise_priority() == (True, "real-time priority (SCHED_FIFO 5)")
    [(who, policy, param)] = asked
    assert (who, policy, param.sched_priority) == (0, os.SCHED_FIFO, 5)


@linux
@pytest.mark.parametrize(
    ("error", "said"),
    [
        (PermissionError(), "@audio - rtprio 20"),
        (OSError(22, "Invalid argument"), "Invalid argument"),
    ],
)
def test_refusal_names_the_setting_to_change(
    monkeypatch: pytest.MonkeyPatch, error: OSError, said: str
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "sched_setscheduler", _refuse(error))
    worked, text = raise_priority()
    assert not worked
    assert text.startswith("normal priority: ")
    assert said in text


@linux
@pytest.mark.parametrize(
    ("policy", "level", "asked"), [("SCHED_FIFO", 20, 5), ("SCHED_RR", 4, 3), ("SCHED_FIFO", 1, 0)]
)
def test_callback_thread_keeps_higher_priority(
    monkeypatch: pytest.MonkeyPatch, policy: str, level: int, asked: int
) -> None:
    real_time: list[int] = []
    nice: list[Any] = []
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "sched_getscheduler", lambda thread: getattr(os, policy))
    monkeypatch.setattr(os, "sched_getparam", lambda thread: os.sched_param(level))
    monkeypatch.setattr(
        os, "sched_setscheduler", lambda who, how, param: real_time.append(param.sched_priority)
    )
    monkeypatch.setattr(os, "setpriority", lambda *what: nice.append(what[2]))
    worked, text = raise_priority(callback_thread=123)
    assert worked
    assert (real_time, nice) == (([asked], []) if asked else ([], [-10]))
    assert (f"SCHED_FIFO {asked}" in text) is bool(asked)


@linux
def test_niceness_if_callbacks_lack_real_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 4)
    monkeypatch.setattr(os, "sched_setscheduler", _refuse(AssertionError()))  # pyright: ignore
    nice: list[Any] = []
    monkeypatch.setattr(os, "setpriority", lambda *what: nice.append(what[2]))
    worked, text = raise_priority(threading.get_native_id())
    assert (worked, nice) == (True, [-10])
    assert "no real-time priority" in text
    monkeypatch.setattr(os, "setpriority", _refuse(PermissionError()))
    worked, text = raise_priority(threading.get_native_id())
    assert not worked
    assert "@audio - nice -11" in text


@linux
def test_single_core_keeps_normal_priority(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    monkeypatch.setattr(os, "sched_setscheduler", _refuse(AssertionError()))  # pyright: ignore
    assert raise_priority()[0] is False


@linux
def test_normal_priority_is_temporary(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(os, "sched_getscheduler", lambda _: os.SCHED_FIFO)
    monkeypatch.setattr(os, "sched_getparam", lambda _: os.sched_param(5))
    monkeypatch.setattr(
        os, "sched_setscheduler", lambda who, policy, p: asked.append((policy, p.sched_priority))
    )
    with normal_priority():
        assert asked == [(os.SCHED_OTHER, 0)]
    assert asked == [(os.SCHED_OTHER, 0), (os.SCHED_FIFO, 5)]


@linux
def test_lower_priority_affects_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    monkeypatch.setattr(os, "setpriority", lambda *what: asked.append(what))
    lower_priority()
    monkeypatch.setattr(os, "setpriority", _refuse(PermissionError()))
    lower_priority()
    assert len(asked) == 1
    assert asked[0][0] == os.PRIO_PROCESS
    assert asked[0][2] == 10


@pytest.mark.parametrize(
    ("handle", "worked", "said"), [(1, True, "MMCSS Pro Audio"), (0, False, "MMCSS refused")]
)
def test_windows_uses_mmcss_pro_audio(
    monkeypatch: pytest.MonkeyPatch, handle: int, worked: bool, said: str
) -> None:
    named: list[str] = []
    lowered: list[int] = []

    def characteristics(task: str, index: Any) -> int:
        named.append(task)
        return handle

    libraries = {
        "avrt": SimpleNamespace(AvSetMmThreadCharacteristicsW=characteristics),
        "kernel32": SimpleNamespace(
            GetCurrentThread=lambda: 7,
            SetThreadPriority=lambda thread, priority: lowered.append(priority),
        ),
    }
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setattr(ctypes, "WinDLL", libraries.__getitem__, raising=False)
    found, text = raise_priority()
    assert (found, named) == (worked, ["Pro Audio"])
    assert said in text
    lower_priority()
    assert lowered == [-1]


@pytest.mark.parametrize(("refused", "worked"), [(0, True), (1, False)])
def test_macos_uses_quality_of_service(
    monkeypatch: pytest.MonkeyPatch, refused: int, worked: bool
) -> None:
    asked: list[int] = []

    def quality(kind: int, relative: int) -> int:
        asked.append(kind)
        return refused

    library = SimpleNamespace(pthread_set_qos_class_self_np=quality)
    monkeypatch.setattr(sys, "platform", "darwin")
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    assert raise_priority()[0] is worked
    lower_priority()
    assert asked == [0x21, 0x11]


@linux
def test_only_the_calling_thread_is_changed(make_live: Callable[..., LiveSession]) -> None:
    """Not the process, its parent, or the terminal session, which the user's programs share."""

    def priorities() -> list[Any]:
        who = [(os.PRIO_PROCESS, 0), (os.PRIO_PROCESS, os.getppid())]
        group = Path("/proc/self/autogroup")
        said = group.read_text() if group.exists() else ""
        return [*(os.getpriority(*one) for one in who), os.sched_getscheduler(0), said]

    before = priorities()
    during: list[Any] = []
    session = make_live()
    thread = threading.Thread(
        target=lambda: (session._raise_priority(), during.extend(priorities()))
    )
    thread.start()
    thread.join()
    assert (during[1], during[3]) == (before[1], before[3])
    assert priorities() == before


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A system that groups threads by session."""
    (tmp_path / "self").mkdir()
    (tmp_path / "sys/kernel").mkdir(parents=True)
    (tmp_path / "self/autogroup").write_text("/autogroup-18 nice 3\n")
    (tmp_path / "sys/kernel/sched_autogroup_enabled").write_text("1\n")
    return tmp_path


@linux
def test_autogroup_is_named_and_left_alone(proc: Path) -> None:
    assert "kernel.sched_autogroup_enabled=0" in autogroup_remark(proc)
    assert (proc / "self/autogroup").read_text() == "/autogroup-18 nice 3\n"


@linux
def test_no_remark_without_autogroup(
    proc: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert autogroup_remark(tmp_path / "nowhere") == ""
    with monkeypatch.context() as real_time:
        real_time.setattr(os, "sched_getscheduler", lambda _: os.SCHED_FIFO)
        assert autogroup_remark(proc) == ""
    (proc / "sys/kernel/sched_autogroup_enabled").write_text("0\n")
    assert autogroup_remark(proc) == ""
