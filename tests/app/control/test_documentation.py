"""docs/control.md: its tables are complete, and its examples run."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from voicegraph.app.control.options import ControlOptions
from voicegraph.app.control.service import MOST_WAITING
from voicegraph.app.control_servers import Control
from voicegraph.app.osc._messages import ARGUMENTS, ROOT
from voicegraph.schemas.control import Answer, ControlLimits
from voicegraph.schemas.live_command import COMMANDS, Mute, SetParam

from ..client import Client
from ..fake_live import FakeLive

TEXT = (Path(__file__).resolve().parents[3] / "docs" / "control.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


def _first_cells(section: str) -> list[str]:
    below = TEXT.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    cells = [line.split(" | ")[0] for line in below.splitlines() if line.startswith("|")]
    return [cell.strip("| `") for cell in cells[2:]]


@pytest.fixture
def control(live: FakeLive) -> Iterator[Control]:
    with Control(live, ControlOptions(http="127.0.0.1:0", osc="127.0.0.1:0")) as made:
        yield made


def _as_served(text: str, control: Control) -> str:
    """The example with the ports of the test server."""
    assert control.http_url is not None
    assert control.osc_address is not None
    text = text.replace("127.0.0.1:8765", control.http_url.removeprefix("http://").rstrip("/"))
    return text.replace("9010", control.osc_address.rpartition(":")[2])


def test_every_route_is_described(idle: Client) -> None:
    paths = idle.get("/openapi.json").json["paths"]
    offered = {f"{method.upper()} {path}" for path in paths for method in paths[path]}
    assert set(_first_cells("HTTP")) == offered | {"GET /", "GET /openapi.json", "GET /ws"}


def test_every_command_is_described() -> None:
    described = [COMMANDS.validate_json(cell) for cell in _first_cells("Commands")]
    names = [command.do for command in described]
    assert sorted(names) == sorted(COMMANDS.json_schema()["discriminator"]["mapping"])


def test_every_osc_address_is_described() -> None:
    words = {cell.removeprefix(f"{ROOT}/").partition("/")[0] for cell in _first_cells("OSC")}
    assert words == ARGUMENTS.keys()


def test_described_limits_are_those_of_the_code() -> None:
    assert f"at most {MOST_WAITING} of them" in TEXT
    assert f"At most {ControlLimits().websocket_clients} clients" in TEXT


def test_every_limit_is_described() -> None:
    below = TEXT.partition("\n## Limits\n")[2].partition("\n## ")[0]
    rows = [line.strip("| ").split(" | ") for line in below.splitlines() if line.startswith("| `")]
    assert [(name.strip("`"), default) for name, default, _ in rows] == [
        (name, f"{field.default:g}") for name, field in ControlLimits.model_fields.items()
    ]


def test_example_answer_is_a_valid_answer() -> None:
    (block,) = _blocks("json")
    shown = Answer.model_validate_json(block)
    assert json.loads(shown.model_dump_json()) == json.loads(block)


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl")
def test_curl_examples_run_their_commands(control: Control, live: FakeLive) -> None:
    for line in "".join(_blocks("sh")).splitlines():
        command = shlex.split(_as_served(line, control))
        done = subprocess.run([*command, "-sS", "--fail"], capture_output=True, check=False)
        assert done.returncode == 0, (line, done)
    wanted = [SetParam(param="pitch.transpose", value=7), Mute(), Mute(on=False), Mute()]
    assert live.done == wanted


def test_websocket_example_sets_and_prints(
    control: Control, live: FakeLive, capsys: pytest.CaptureFixture[str]
) -> None:
    def end() -> None:
        live.wait_for(lambda: bool(live.done))
        live.stopped.set()

    ending = threading.Thread(target=end)
    ending.start()
    exec(_as_served(_blocks("py")[0], control), {})
    ending.join(20)
    lines = capsys.readouterr().out.splitlines()
    assert "set" in lines
    assert "-20 dB, 0 blocks late" in lines
    assert live.done == [SetParam(param="pitch.transpose", value=7)]


def test_midi_example_sets_and_mutes(
    control: Control, live: FakeLive, monkeypatch: pytest.MonkeyPatch
) -> None:
    knob = {"type": "control_change", "control": 1}
    pad = {"type": "note_on", "note": 36}
    played = [{**knob, "value": 127}, {**pad, "velocity": 90}, {**pad, "velocity": 0}]
    messages = [SimpleNamespace(**message) for message in played]
    monkeypatch.setitem(sys.modules, "mido", SimpleNamespace(open_input=lambda: messages))
    exec(_as_served(_blocks("py")[1], control), {})
    live.wait_for(lambda: len(live.done) == 2)
    assert live.done == [SetParam(param="pitch.transpose", value=12.0), Mute()]


def test_oscsend_example_toggles_mute(control: Control, live: FakeLive) -> None:
    """Sends the same bytes as the program oscsend."""
    (line,) = [block for block in _blocks("text") if block.startswith("oscsend")]
    _, host, port, address = _as_served(line, control).split()
    padded = address.encode().ljust(4 * (len(address) // 4 + 1), b"\0")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.sendto(padded + b",\0\0\0", (host, int(port)))
    live.wait_for(lambda: live.done == [Mute()])


def test_python_example_opens_and_closes_ports(
    live: FakeLive, capsys: pytest.CaptureFixture[str]
) -> None:
    live.stopped.set()
    code = _blocks("py")[2].replace("9010", "0")
    exec(code, {"live": live})
    assert re.fullmatch(
        r"http://127\.0\.0\.1:\d+/ OSC 127\.0\.0\.1:\d+", capsys.readouterr().out.strip()
    )
