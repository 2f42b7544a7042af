"""The session's share of the processors: raised while it runs, given back, and said."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph.live._cpu_share import SessionShare


@pytest.fixture
def proc(tmp_path: Path) -> Path:
    """A system that groups threads by session."""
    (tmp_path / "self").mkdir()
    (tmp_path / "sys/kernel").mkdir(parents=True)
    _tell(tmp_path, "/autogroup-18 nice 3\n")
    (tmp_path / "sys/kernel/sched_autogroup_enabled").write_text("1\n")
    return tmp_path


def _tell(proc: Path, text: str) -> None:
    (proc / "self/autogroup").write_text(text)


def _told(proc: Path) -> str:
    return (proc / "self/autogroup").read_text()


def test_it_is_raised_and_given_back(proc: Path) -> None:
    share = SessionShare(proc)
    assert _told(proc) == "-10"
    assert "autogroup nice -10" in share.remark
    share.close()
    assert _told(proc) == "3"
    _tell(proc, "another's")
    share.close()
    assert _told(proc) == "another's"


@pytest.mark.parametrize("text", ["/autogroup-18 nice -12\n", "", "what is this"])
def test_what_is_high_or_not_understood_is_left(proc: Path, text: str) -> None:
    _tell(proc, text)
    share = SessionShare(proc)
    share.close()
    assert (_told(proc), share.remark) == (text, "")


def test_where_nothing_is_grouped(proc: Path, tmp_path: Path) -> None:
    (proc / "sys/kernel/sched_autogroup_enabled").write_text("0\n")
    before = _told(proc)
    assert SessionShare(proc).remark == ""
    assert _told(proc) == before
    assert SessionShare(tmp_path / "nowhere").remark == ""


def test_a_refusal_is_said(proc: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> int:
        raise PermissionError(1, "not permitted")

    before = _told(proc)
    monkeypatch.setattr(Path, "write_text", refuse)
    share = SessionShare(proc)
    assert "may not be raised" in share.remark
    share.close()
    assert _told(proc) == before
