"""A driver that is killed anywhere: the same command goes on, and ends with the same bits."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile

RUN = (sys.executable, "-m", "voicegraph", "experiment", "run", "small.yaml", "--format", "csv")


def _start(folder: Path, out: str, *options: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [*RUN, "--out", out, *options]
    return subprocess.Popen(command, cwd=folder, env=environment, stderr=subprocess.DEVNULL)


def _done(folder: Path) -> list[str]:
    path = folder / "journal.jsonl"
    lines = path.read_text().splitlines() if path.is_file() else []
    whole = [line for line in lines if line.startswith("{") and line.endswith("}")]
    return [entry["key"] for entry in map(json.loads, whole) if entry["event"] == "done"]


def _bytes(folder: Path) -> dict[str, str]:
    """Key -> SHA-256, of all results."""
    paths = (folder / "store").glob("??/*.json")
    return {path.stem: json.loads(path.read_text())["sha256"] for path in paths}


@pytest.mark.slow
@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_driver_loses_nothing_and_engines_give_the_same_bits(folder: Path) -> None:
    noise = np.random.default_rng(2)
    for number in range(40):
        sound = 0.1 * noise.standard_normal(16000)
        soundfile.write(folder / "clips" / f"s{number}-1.wav", sound, 16000)
    with _start(folder, "serial", "--workers", "1") as whole:
        assert whole.wait() == 0
    for share in (1, 40, 90):
        with _start(folder, "killed", "--workers", "2") as driver:
            while len(_done(folder / "killed")) < share:
                assert driver.poll() is None
                time.sleep(0.01)
            driver.kill()
    with _start(folder, "killed", "--workers", "2") as driver:
        assert driver.wait() == 0
    done = Counter(_done(folder / "killed"))
    assert set(done.values()) == {1}
    assert _bytes(folder / "killed") == _bytes(folder / "serial")
    values = [(folder / out / "values.csv").read_bytes() for out in ("serial", "killed")]
    assert values[0] == values[1]
    assert not list(folder.rglob("*.voicegraph-*.part"))
