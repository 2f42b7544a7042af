"""The virtual microphone on a real sound server: made, heard, removed at every kind of end."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

START = "import sys; from voicegraph.app.cli.app import main; sys.exit(main(sys.argv[1:]))"


def _sources(sound_server: Any) -> list[str]:
    """Names of the microphones that other programs see."""
    done = subprocess.run(
        ["pactl", "list", "short", "sources"], env={**os.environ, **sound_server.environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.split("\t")[1] for line in done.stdout.splitlines() if "voicegraph" in line]


def _wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def live(sound_server: Any, tmp_path: Path) -> Callable[[], subprocess.Popen[str]]:
    """Starts ``voicegraph live --virtual-mic`` in a process of its own."""
    pipeline = tmp_path / "pass.yaml"
    pipeline.write_text(
        "block: 20ms\nnodes: {pass: {use: dsp.gain, in: input}}\noutput: pass\n", encoding="utf-8"
    )

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", START, "live", str(pipeline), "--input", "mon_a",
             "--virtual-mic", "--plain"],
            env={**os.environ, **sound_server.environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start


def _playing_to(sound_server: Any) -> str:
    """What streams play to, as the server lists sinks and their inputs."""
    environment = {**os.environ, **sound_server.environment}
    sinks, inputs = (
        subprocess.run(
            ["pactl", "list", "short", kind], env=environment, capture_output=True, text=True,
            check=True,
        ).stdout.splitlines()
        for kind in ("sinks", "sink-inputs")
    )  # fmt: skip
    names = {line.split("\t")[0]: line.split("\t")[1] for line in sinks}
    return " ".join(names[line.split("\t")[1]] for line in inputs)


def test_microphone_lives_as_long_as_its_session(sound_server: Any, live: Any) -> None:
    process = live()
    said = "virtual microphone: choose 'voicegraph' in other programs"
    assert any(said in line for line in process.stdout)
    assert any(" running; " in line for line in process.stdout)
    assert "voicegraph" in _sources(sound_server)
    assert _playing_to(sound_server) == "voicegraph_out"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert _sources(sound_server) == []


def test_killed_session_leaves_one_that_the_next_removes(sound_server: Any, live: Any) -> None:
    killed = live()
    _wait(lambda: "voicegraph" in _sources(sound_server))
    killed.kill()
    killed.communicate(timeout=60)
    assert "voicegraph" in _sources(sound_server)
    first = live()
    second = live()
    _wait(lambda: len([name for name in _sources(sound_server) if ".monitor" not in name]) == 2)
    names = {name for name in _sources(sound_server) if ".monitor" not in name}
    assert names == {"voicegraph", "voicegraph_2"}
    for process in (first, second):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert _sources(sound_server) == []


_RAW = ["--raw", "--format=float32le", "--rate=48000", "--channels=1"]


def _peak(sound_server: Any, source: str) -> float:
    """The level that a program gets which records a second of a microphone."""
    environment = {**os.environ, **sound_server.environment}
    command = ["parec", *_RAW, f"--device={source}"]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE) as recording:
        assert recording.stdout is not None
        heard = np.frombuffer(recording.stdout.read(4 * 48000), "<f4")
        recording.terminate()
    return float(np.abs(heard[24000:]).max())


def test_other_programs_hear_the_sound_at_its_level(
    sound_server: Any, live: Any, tmp_path: Path
) -> None:
    tone = 0.25 * np.sin(2 * np.pi * 440 * np.arange(90 * 48000) / 48000)
    (tmp_path / "tone.raw").write_bytes(tone.astype("<f4").tobytes())
    environment = {**os.environ, **sound_server.environment}
    with (tmp_path / "tone.raw").open("rb") as sound:
        speaking = subprocess.Popen(
            ["pacat", *_RAW, "--device=a"], env=environment, stdin=sound
        )  # the session hears the monitor of this sink
    with live() as process:
        assert any(" running; " in line for line in process.stdout)
        try:
            spoken = _peak(sound_server, "a.monitor")
            assert spoken > 0.2
            _wait(lambda: _peak(sound_server, "voicegraph") > 0.1)
            heard = _peak(sound_server, "voicegraph")
        finally:
            process.terminate()
            speaking.terminate()
            speaking.wait(60)
    assert heard == pytest.approx(spoken, rel=0.02), "rounding, and no more"
