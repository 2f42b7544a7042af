"""Which options are valid, and what is missing."""

from __future__ import annotations

import importlib.util
import socket
from pathlib import Path

import pytest

from voicegraph.app.control.options import ControlOptions
from voicegraph.graph.errors import Problem, VoicegraphError

from ..client import TOKEN


def _problem(**options: object) -> Problem:
    with pytest.raises(VoicegraphError) as caught:
        ControlOptions(**options)  # pyright: ignore[reportArgumentType]
    (problem,) = caught.value.problems
    return problem


def test_default_options_open_nothing() -> None:
    options = ControlOptions()
    assert options.http_address is None
    assert options.osc_address is None
    assert options.feedback_address is None


@pytest.mark.parametrize(
    "text", ["8765", ":8765", "127.0.0.1:8765", "localhost:8765", "[::1]:8765", "127.0.0.9:8765"]
)
def test_loopback_needs_no_token(text: str) -> None:
    address = ControlOptions(http=text, osc=text).http_address
    assert address is not None
    assert address.port == 8765
    assert address.loopback


@pytest.mark.parametrize("text", ["0.0.0.0:8765", "[::]:8765", "192.168.1.5:8765"])
def test_reachable_host_needs_a_token(text: str) -> None:
    problem = _problem(http=text)
    assert problem.code == "needs-token"
    assert problem.fix is not None
    assert "secrets.token_urlsafe" in problem.fix
    assert "--http 127.0.0.1:8765" in problem.fix
    assert ControlOptions(http=text, token=TOKEN).http_address is not None


@pytest.mark.parametrize("token", ["", "fifteen-letters", "sixteen letters!", "sixteen-lettérs!"])
def test_weak_token_is_an_error_on_loopback_too(token: str) -> None:
    problem = _problem(http="127.0.0.1:8765", token=token)
    assert problem.code == "weak-token"
    assert problem.fix is not None
    assert "secrets.token_urlsafe" in problem.fix


def test_http_info_makes_a_token_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "info.json"
    first, second = (ControlOptions(http="0.0.0.0:0", http_info=path) for _ in range(2))
    assert first.token is not None
    assert second.token != first.token
    assert ControlOptions(http="0", http_info=path, token=TOKEN).token == TOKEN


def test_http_info_without_http_is_an_error(tmp_path: Path) -> None:
    problem = _problem(http_info=tmp_path / "info.json")
    assert (problem.code, problem.fix) == ("no-http", "--http 127.0.0.1:0")


def test_http_info_replaces_no_other_file(tmp_path: Path) -> None:
    path = tmp_path / "thesis.txt"
    path.write_text("{}", encoding="utf-8")
    assert _problem(http="0", http_info=path).code == "exists"
    assert path.read_text(encoding="utf-8") == "{}"


def test_token_is_not_in_the_repr() -> None:
    assert TOKEN not in repr(ControlOptions(http="8765", token=TOKEN))


def test_reachable_osc_needs_osc_open() -> None:
    problem = _problem(osc="0.0.0.0:9010", token=TOKEN)
    assert problem.code == "open-osc"
    assert problem.fix is not None
    assert "--osc-open" in problem.fix
    assert ControlOptions(osc="0.0.0.0:9010", osc_open=True).osc_address is not None


def test_osc_feedback_without_osc_is_an_error() -> None:
    assert _problem(osc_feedback="127.0.0.1:9011").code == "no-osc"


@pytest.mark.parametrize(
    "text",
    ["", "http://localhost:8765", "localhost", "127.0.0.1:", "127.0.0.1:70000", "::1:8765",
     "127.0.0.1:http", "[::1]", "two words:1", "a:b:1"],
)  # fmt: skip
def test_invalid_address_is_an_error(text: str) -> None:
    problem = _problem(http=text)
    assert problem.code == "wrong-address"
    assert problem.fix == "--http 127.0.0.1:8765"
    assert repr(text) in problem.message


def test_unknown_host_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    problem = _problem(osc="nowhere.invalid:9010")
    assert problem.code == "no-such-host"
    assert problem.fix == "--osc 127.0.0.1:9010"


@pytest.mark.parametrize(
    ("options", "module", "package"),
    [
        ({"http": "8765"}, "fastapi", "fastapi"),
        ({"http": "8765"}, "uvicorn", "uvicorn"),
        ({"http": "8765"}, "websockets", "websockets"),
        ({"osc": "9010"}, "pythonosc", "python-osc"),
    ],
)
def test_missing_package_is_reported_with_its_fix(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, str], module: str, package: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda n: None if n == module else found(n))
    problem = _problem(**options)
    assert problem.code == "missing-package"
    assert package in problem.message
    assert problem.fix is not None
    assert '"voicegraph[control]"' in problem.fix
