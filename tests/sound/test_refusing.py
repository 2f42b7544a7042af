"""Devices that cannot be opened: messages and fixes."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from voicegraph.app.cli.app import main
from voicegraph.graph.errors import DeviceError


def test_devices_command_lists_the_devices(daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["devices"]) == 0
    out = capsys.readouterr().out
    for name in ("loop_a", "mon_b", "duplex_a"):
        assert name in out


def test_wrong_name_gets_the_closest_proposal(
    daemon: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["live", "world", "--input", "dupleks_a", "--output", "loop_a"]) == 5
    err = capsys.readouterr().err
    assert "'dupleks_a'" in err
    assert '--input "duplex_a"' in err


def test_ambiguous_part_of_a_name(daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "world", "--input", "mon_", "--output", "loop_a"]) == 5
    err = capsys.readouterr().err
    assert "mon_a" in err
    assert "mon_b" in err
    assert "--input" in err


def test_playback_device_cannot_record(daemon: Any, capsys: pytest.CaptureFixture[str]) -> None:
    """ALSA's plug-in for PulseAudio claims both directions; a number past the end has neither."""
    assert main(["live", "world", "--input", "999", "--output", "loop_a"]) == 5
    err = capsys.readouterr().err
    assert "no device 999" in err
    assert "voicegraph devices" in err


def test_no_device_at_all_is_reported(daemon: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALSA_CONFIG_PATH", "/usr/share/alsa/alsa.conf")
    monkeypatch.setenv("PULSE_SERVER", "unix:/nowhere")
    found = subprocess.run(
        [sys.executable, "-m", "voicegraph", "live", "world"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 5
    assert "there is no sound device that records" in found.stderr
    assert "voicegraph devices" in found.stderr
    assert "Traceback" not in found.stderr


def test_device_removed_before_opening(
    other_daemon: Any, setup: Callable[..., Any], passing: Any
) -> None:
    found = setup(passing(), "duplex_a", "duplex_a")
    other_daemon.stop()
    with pytest.raises(DeviceError, match="duplex_a"):
        found.open_card()
