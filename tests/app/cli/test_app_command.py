"""``voicegraph app``: where it listens, what it opens, and what it says if it cannot."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import webbrowser
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from voicegraph.app.cli import app_command
from voicegraph.app.control.addresses import parse_address
from voicegraph.app.control.http_info_file import HttpInfoFile, read_http_info
from voicegraph.app.page_server.running_app import info_path, running_url

from ..client import Client
from ..page_server.conftest import ServeApp, folders, messages, serve_app  # noqa: F401

Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the browser was asked to open."""
    found: list[str] = []

    def open_page(url: str) -> bool:
        found.append(url)
        return True

    monkeypatch.setenv("DISPLAY", ":0")
    monkeypatch.setattr(webbrowser, "open", open_page)
    return found


@pytest.fixture
def busy() -> Iterator[int]:
    """A port that another program uses."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_port_that_was_asked_for_must_be_free(cli: Cli, folders: Path, busy: int) -> None:  # noqa: F811
    code, _, err = cli("app", "--port", str(busy), "--no-browser")
    assert code == 1
    assert f"port {busy} is in use by another program" in err
    assert f"fix: voicegraph app --port {busy % 65535 + 1}" in err


@pytest.mark.parametrize("variable", ["VOICEGRAPH_STATE", "VOICEGRAPH_DATA"])
def test_the_users_folders_must_be_writable(
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    folders: Path,  # noqa: F811
    variable: str,
) -> None:
    (folders / "file").write_text("", encoding="utf-8")
    monkeypatch.setenv(variable, str(folders / "file" / "own"))
    code, _, err = cli("app", "--no-browser", "--port", "0")
    assert code == 4
    assert "file/own" in err.replace(os.sep, "/")
    assert f"fix: set the variable {variable} to a folder" in err


def test_host_is_a_name_without_a_port(cli: Cli, folders: Path) -> None:  # noqa: F811
    code, _, err = cli("app", "--host", "127.0.0.1:8760", "--no-browser")
    assert code == 1
    assert "fix: --host 127.0.0.1   (" in err


def test_next_free_port_is_taken_otherwise(busy: int) -> None:
    addresses = [parse_address(f"127.0.0.1:{port}", "--host", port) for port in (busy, 0)]
    found = app_command._listening(addresses, _bound)
    assert found[1].port == 0
    found[0].close()


def _bound(address: Any) -> Any:
    from voicegraph.app.control.addresses import listen

    return listen(address, "tcp")


def test_other_machines_need_a_token(cli: Cli, folders: Path) -> None:  # noqa: F811
    code, _, err = cli("app", "--host", "0.0.0.0", "--no-browser")
    assert code == 1
    assert "can be reached from other machines, so it needs a token" in err
    assert "leave out --host" in err
    assert cli("app", "--host", "0.0.0.0", "--token", "short")[0] == 1


def test_missing_packages_are_named_with_the_extra(
    cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_command, "is_installed", lambda name: name != "psutil")
    code, _, err = cli("app")
    assert code == 1
    assert "voicegraph app needs psutil, which is not installed (part of the extra `app`)" in err
    assert "voicegraph[app]" in err


def test_second_app_opens_the_page_of_the_first(
    cli: Cli,
    serve_app: ServeApp,  # noqa: F811
    folders: Path,  # noqa: F811
    opened: list[str],
) -> None:
    first: Client = serve_app()
    url = f"http://127.0.0.1:{first.port}/"
    path = info_path(folders / "state")
    path.parent.mkdir(parents=True)
    HttpInfoFile(path).write(url, "a-token-of-some-length")
    code, out, _ = cli("app")
    assert (code, opened) == (0, [url])
    assert f"the app runs already: {url}" in out
    assert cli("app", "--port", str(first.port), "--no-browser")[0] == 0
    assert opened == [url]


def test_page_server_that_is_gone_is_not_taken_for_one(folders: Path, busy: int) -> None:  # noqa: F811
    path = info_path(folders / "state")
    path.parent.mkdir(parents=True)
    assert running_url(folders / "state") is None
    HttpInfoFile(path).write(f"http://127.0.0.1:{busy % 65535 + 1}/", "a-token-of-some-length")
    assert running_url(folders / "state") is None


def test_without_a_display_the_address_is_printed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], opened: list[str]
) -> None:
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.delenv("DISPLAY")
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    app_command._open("http://127.0.0.1:1/", no_browser=False)
    assert opened == []
    assert "open http://127.0.0.1:1/" in capsys.readouterr().err


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for other processes")
def test_it_serves_until_ctrl_c_and_takes_its_note_away(folders: Path) -> None:  # noqa: F811
    command = [sys.executable, "-m", "voicegraph", "app", "--port", "0", "--no-browser"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    watchdog = threading.Timer(120, running.kill)
    watchdog.start()
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)/", line)
        assert found, line
        info = read_http_info(info_path(folders / "state"))
        assert info is not None
        assert info.url == found[0]
        assert Client("127.0.0.1", int(found[1])).get("/api/session").json["state"] == "none"
        running.send_signal(signal.SIGINT)
        assert running.wait(60) == 0
    finally:
        watchdog.cancel()
        running.kill()
        running.communicate()
    assert not info_path(folders / "state").exists()
