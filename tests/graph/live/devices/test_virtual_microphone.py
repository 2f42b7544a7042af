"""The virtual microphone without a sound server: what is missing is said, with what to do."""

from __future__ import annotations

import os
import subprocess
import sys
from types import SimpleNamespace
from typing import Any

import pytest

from voicegraph.graph.errors import DeviceError, Problem
from voicegraph.graph.live.devices import virtual_microphone
from voicegraph.graph.live.devices.virtual_microphone import VirtualMicrophone


def _problem() -> Problem:
    with pytest.raises(DeviceError) as caught:
        VirtualMicrophone()
    [problem] = caught.value.problems
    assert problem.fix is not None
    return problem


@pytest.mark.parametrize(("platform", "cable"), [("win32", "VB-Cable"), ("darwin", "BlackHole")])
def test_other_systems_need_a_driver(
    monkeypatch: pytest.MonkeyPatch, platform: str, cable: str
) -> None:
    monkeypatch.setattr(virtual_microphone, "sys", SimpleNamespace(platform=platform))
    problem = _problem()
    assert f"--output {cable}" in str(problem.fix)
    assert "docs/routing.md" in str(problem.fix)


@pytest.fixture
def linux(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(virtual_microphone, "sys", SimpleNamespace(platform="linux"))
    monkeypatch.setattr(virtual_microphone.shutil, "which", lambda _: "/usr/bin/pactl")
    return monkeypatch


def _answers(text: str, code: int = 0, error: str = "") -> Any:
    return lambda *_, **__: subprocess.CompletedProcess([], code, text, error)


def test_missing_pactl_is_named(linux: pytest.MonkeyPatch) -> None:
    linux.setattr(virtual_microphone.shutil, "which", lambda _: None)
    assert _problem().fix == "apt install pulseaudio-utils"


def test_missing_server_is_named(linux: pytest.MonkeyPatch) -> None:
    refused = _answers("", 1, "Connection failure: Connection refused\n")
    linux.setattr(virtual_microphone.subprocess, "run", refused)
    problem = _problem()
    assert "Connection refused" in problem.message
    assert "pipewire-pulse" in str(problem.fix)


def test_missing_alsa_plugin_is_named(linux: pytest.MonkeyPatch) -> None:
    linux.setattr(virtual_microphone.subprocess, "run", _answers("Server Name: x\n"))
    linux.setattr(virtual_microphone, "list_devices", lambda: [])
    assert "libasound2-plugins" in str(_problem().fix)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are found in /proc")
def test_modules_of_running_sessions_are_no_leftovers(linux: pytest.MonkeyPatch) -> None:
    own, gone = virtual_microphone._started(os.getpid()), 99_999_999
    listed = "".join(
        f"{index}\tmodule-null-sink\tsink_name={name}_out x.owner={pid}-{own}\n"
        f"{index + 1}\tmodule-null-sink\tsink_name={name}_out voicegraph.owner={pid}-{own}\n"
        for index, (name, pid) in enumerate((("voicegraph", os.getpid()), ("voicegraph_2", gone)))
    )
    linux.setattr(virtual_microphone.subprocess, "run", _answers(listed))
    found = virtual_microphone._own_modules()
    assert [(module.name, module.is_left_over) for module in found] == [
        ("voicegraph", False), ("voicegraph_2", True),
    ]  # fmt: skip
