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

import pytest

START = "import sys; from voicegraph.app.cli.app import main; sys.exit(main(sys.argv[1:]))"


def _sources(daemon: Any) -> list[str]:
    """Names of the microphones that other programs see."""
    done = subprocess.run(
        ["pactl", "list", "short", "sources"], env={**os.environ, **daemon.environment},
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    return [line.split("\t")[1] for line in done.stdout.splitlines() if "voicegraph" in line]


def _wait(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture
def live(daemon: Any, tmp_path: Path) -> Callable[[], subprocess.Popen[str]]:
    """Starts ``voicegraph live --virtual-mic`` in a process of its own."""
    pipeline = tmp_path / "pass.yaml"
    pipeline.write_text(
        "block: 20ms\nnodes: {pass: {use: dsp.gain, in: input}}\noutput: pass\n", encoding="utf-8"
    )

    def start() -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", START, "live", str(pipeline), "--input", "mon_a",
             "--virtual-mic", "--plain"],
            env={**os.environ, **daemon.environment}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip

    return start


def _playing_to(daemon: Any) -> str:
    """What streams play to, as the server lists sinks and their inputs."""
    environment = {**os.environ, **daemon.environment}
    sinks, inputs = (
        subprocess.run(
            ["pactl", "list", "short", kind], env=environment, capture_output=True, text=True,
            check=True,
        ).stdout.splitlines()
        for kind in ("sinks", "sink-inputs")
    )  # fmt: skip
    names = {line.split("\t")[0]: line.split("\t")[1] for line in sinks}
    return " ".join(names[line.split("\t")[1]] for line in inputs)


def test_microphone_lives_as_long_as_its_session(daemon: Any, live: Any) -> None:
    process = live()
    said = "virtual microphone: choose 'voicegraph' in other programs"
    assert any(said in line for line in process.stdout)
    assert any(" running; " in line for line in process.stdout)
    assert "voicegraph" in _sources(daemon)
    assert _playing_to(daemon) == "voicegraph_out"
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=60)
    assert process.returncode == 0, out
    assert _sources(daemon) == []


def test_killed_session_leaves_one_that_the_next_removes(daemon: Any, live: Any) -> None:
    killed = live()
    _wait(lambda: "voicegraph" in _sources(daemon))
    killed.kill()
    killed.communicate(timeout=60)
    assert "voicegraph" in _sources(daemon)
    first = live()
    second = live()
    _wait(lambda: len([name for name in _sources(daemon) if ".monitor" not in name]) == 2)
    names = {name for name in _sources(daemon) if ".monitor" not in name}
    assert names == {"voicegraph", "voicegraph_2"}
    for process in (first, second):
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)
    assert _sources(daemon) == []
