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


def test_other_programs_hear_the_converted_sound(sound_server: Any, live: Any) -> None:
    process = live()
    assert any(" running; " in line for line in process.stdout)
    environment = {**os.environ, **sound_server.environment}
    raw = ["--raw", "--format=float32le", "--rate=48000", "--channels=1"]
    listening = subprocess.Popen(
        ["parec", *raw, "--device=voicegraph"], env=environment, stdout=subprocess.PIPE
    )
    speaking = subprocess.Popen(
        ["pacat", *raw, "--device=a"], env=environment, stdin=subprocess.PIPE
    )
    tone = 0.25 * np.sin(2 * np.pi * 440 * np.arange(48000) / 48000)
    try:
        assert speaking.stdin is not None
        assert listening.stdout is not None
        for _ in range(20):
            speaking.stdin.write(tone.astype("<f4").tobytes())
            heard = np.frombuffer(listening.stdout.read(4 * 48000), "<f4")
            if (level := np.abs(heard).max()) > 0.2:
                break
        assert level == pytest.approx(0.25, abs=0.02), "the tone as it was sent, at its level"
    finally:
        for program in (speaking, listening, process):
            program.terminate()
            program.wait(60)
