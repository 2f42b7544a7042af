"""The file with address and token: private, complete, and gone at the end."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from voicegraph.app.control.http_info_file import HttpInfoFile, read_http_info
from voicegraph.app.control.options import ControlOptions
from voicegraph.app.control_servers import Control

from ..client import Client
from ..fake_live import FakeLive


def test_file_leads_to_the_session(live: FakeLive, tmp_path: Path) -> None:
    path = tmp_path / "run" / "info.json"
    with Control(live, ControlOptions(http="127.0.0.1:0", http_info=path)):
        found = read_http_info(path)
        assert found is not None
        client = Client("127.0.0.1", int(found.url.rstrip("/").rpartition(":")[2]))
        assert client.websocket == found.websocket
        assert client.get("/status").status == 401
        assert client.get("/status", Authorization=f"Bearer {found.token}").status == 200
    assert not path.exists()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has access lists in place of modes")
def test_only_the_user_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "info.json"
    path.write_text("", encoding="utf-8")
    path.chmod(0o666)
    HttpInfoFile(path).write("http://127.0.0.1:1/", "secret")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_file_of_another_session_stays(tmp_path: Path) -> None:
    path = tmp_path / "info.json"
    first, second = HttpInfoFile(path), HttpInfoFile(path)
    first.write("http://127.0.0.1:1/", "one")
    second.write("http://127.0.0.1:2/", "two")
    first.remove()
    found = read_http_info(path)
    assert found is not None
    assert found.token == "two"
    second.remove()
    second.remove()
    assert list(tmp_path.iterdir()) == []
