"""A small experiment that runs in a second: two clips, two gains."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from voicegraph.experiments.driver.run import FinishedRun, RunOptions, run_experiment
from voicegraph.experiments.engines.serial import Serial
from voicegraph.experiments.file.load import load_experiment
from voicegraph.experiments.grid.compile import compile_experiment
from voicegraph.experiments.store import Store
from voicegraph.graph import registry

PIPELINE = """\
block: 10ms
input: {rate: 16000}
nodes:
  gain: {use: dsp.gain, in: input, params: {db: -6}}
output: gain
"""
EXPERIMENT = """\
version: 1
pipeline: quiet.yaml
clips: {files: clips, speaker: "{stem.split('-')[0]}"}
factors:
  gain: {set: nodes.gain.params.db, values: [0, -6]}
metrics: [level]
compare: [{vary: gain, baseline: "0", metrics: {level.rms: {}}}]
store: null
"""
RunIt = Callable[..., FinishedRun]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with ``quiet.yaml``, ``small.yaml`` and clips of two speakers."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "quiet.yaml").write_text(PIPELINE)
    (tmp_path / "small.yaml").write_text(EXPERIMENT)
    (tmp_path / "clips").mkdir()
    noise = np.random.default_rng(1)
    for name in ("anna-1", "anna-2", "ben-1"):
        sound = 0.1 * noise.standard_normal(8000)
        soundfile.write(tmp_path / "clips" / f"{name}.wav", sound, 16000)
    return tmp_path


@pytest.fixture
def run_it(folder: Path) -> RunIt:
    """``run_it(overrides, **options)``: runs ``small.yaml`` into ``out``."""

    def run(
        overrides: dict[str, object] | None = None, out: str = "out", **options: Any
    ) -> FinishedRun:
        with registry.isolated():
            experiment = compile_experiment(load_experiment(folder / "small.yaml", overrides))
            store = Store(folder / out / "store")
            listener = options.pop("listener", None)
            engine = options.pop("engine", Serial)
            given = RunOptions(**{"format": "csv", **options})
            return run_experiment(
                experiment, folder / out, store, engine, options=given, listener=listener
            )

    return run
