"""Sessions of the command line that are terminated or killed: devices, recordings, exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import soundfile

from voicegraph.app.cli.app import main

_STARTS_S = 40


def _begin(place: Path, *more: str) -> subprocess.Popen[str]:
    command = [
        sys.executable, "-m", "voicegraph", "live", "world", "--set", "block=100ms",
        "--input", "duplex_a", "--output", "duplex_a", "--record", "talk.jsonl", "--json", *more,
    ]  # fmt: skip
    return subprocess.Popen(
        command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def _until_running(process: subprocess.Popen[str]) -> None:
    """Waits until some blocks were processed."""
    assert process.stdout is not None
    guard = threading.Timer(_STARTS_S, process.kill)
    guard.start()
    for line in process.stdout:
        if json.loads(line).get("tick", 0) > 5:
            guard.cancel()
            return
    raise AssertionError(process.communicate()[1])


def _playable(place: Path) -> int:
    """Frames of the recorded input."""
    heard = soundfile.info(place / "talk.in.wav")
    made = soundfile.info(place / "talk.out.wav")
    assert heard.samplerate == made.samplerate == 48000
    assert heard.frames > 0
    assert made.frames % 4800 == 0
    return heard.frames


@pytest.mark.parametrize(
    "how", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.slow)]
)
def test_termination_closes_everything(
    daemon: Any, tmp_path: Path, how: signal.Signals, capsys: Any
) -> None:
    process = _begin(tmp_path)
    _until_running(process)
    assert daemon.streams() > 0
    process.send_signal(how)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 0, err  # that is how a session ends
    assert "Traceback" not in out + err
    assert daemon.streams() == 0
    _playable(tmp_path)
    assert main(["replay", str(tmp_path / "talk.jsonl")]) == 0
    assert "identical" in capsys.readouterr().out


def test_killed_session_leaves_playable_recording(daemon: Any, tmp_path: Path, capsys: Any) -> None:
    process = _begin(tmp_path)
    _until_running(process)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate(timeout=20)
    assert daemon.streams() == 0
    assert _playable(tmp_path) > 4800
    code = main(["replay", str(tmp_path / "talk.jsonl")])
    told = capsys.readouterr().out
    assert "identical" in told
    assert code == (1 if "blocks compared" in told else 0)  # the newest sound may be missing
