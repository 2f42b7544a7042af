"""``voicegraph devices``."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from ...fake_sounddevice import FakeSoundDevice

Cli = Callable[..., tuple[int, str, str]]


def test_devices_are_listed_with_numbers_names_and_defaults(
    cli: Cli, sound_system: FakeSoundDevice
) -> None:
    code, out, err = cli("devices")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    rows = {line.split()[1]: line.split() for line in lines if line.strip()[:1].isdigit()}
    assert rows["Microphone"][:5] == ["0", "Microphone", "ALSA", "1*", "-"]
    assert rows["Loudspeaker"][3:6] == ["-", "2*", "48000"]
    assert rows["Headset"][3:5] == ["1", "2"]
    assert "`live` takes the number or a part of the name" in out


def test_json_is_a_devices_report(cli: Cli, sound_system: FakeSoundDevice) -> None:
    code, out, _ = cli("devices", "--json")
    assert code == 0
    found = json.loads(out)["devices"]
    assert [device["name"] for device in found] == ["Microphone", "Loudspeaker", "Headset"]


def test_no_devices_is_exit_code_5(cli: Cli, sound_system: FakeSoundDevice) -> None:
    sound_system.devices.clear()
    code, out, err = cli("devices")
    assert (code, out) == (5, "")
    assert err.startswith("no sound devices\n  fix: connect one")
    assert json.loads(cli("devices", "--json")[1]) == {"devices": []}


def test_missing_sounddevice_is_reported(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    code, _, err = cli("devices")
    assert code == 5
    assert '-m pip install "voicegraph[live]"' in err
    code, out, _ = cli("devices", "--json")
    assert code == 5
    assert json.loads(out)["problems"][0]["code"] == "no-sounddevice"


@pytest.mark.parametrize("arguments", [["headset"], ["--input", "1"]])
def test_unknown_arguments_are_refused(cli: Cli, arguments: list[str]) -> None:
    code, _, err = cli("devices", *arguments)
    assert code == 2
    assert arguments[0] in err
