"""Hosts and plug-ins compiled against the C library, and what Python computes in their place."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.app.sdk.build import build_sdk
from voicegraph.app.sdk.ladspa import plugins_of
from voicegraph.graph.errors import VoicegraphError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.graph.signals import Audio

from ..conftest import Ran, run_program

HERE = Path(__file__).parent
CHAIN = """\
block: 10ms
input: {rate: 48000, channels: 2}
nodes:
  low: {use: dsp.gain, in: input, params: {db: -3.0}}
  limit: {use: dsp.limiter, in: low}
output: limit
"""
Compile = Callable[..., Path]
Run = Callable[[Sequence[str | Path]], Ran]


@pytest.fixture(scope="session")
def chain(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A stereo pipeline of light nodes with a latency: ``chain.yaml``."""
    path = tmp_path_factory.mktemp("pipelines") / "chain.yaml"
    path.write_text(CHAIN, encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def ladspa(tmp_path_factory: pytest.TempPathFactory, chain: Path) -> Path:
    """A folder with LADSPA plug-ins of ``chain``."""
    folder = tmp_path_factory.mktemp("ladspa")
    try:
        build_sdk(folder, force=True, plugins=plugins_of([str(chain)]))
    except VoicegraphError as error:
        pytest.skip(f"no LADSPA plug-in can be built here: {error}")
    return folder / "ladspa" / "voicegraph_ladspa.so"


@pytest.fixture(scope="session")
def compiled(sdk: Path, tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles a host against the library: ``compiled("file_host.c", "-lm")``."""
    folder = tmp_path_factory.mktemp("programs")

    def compile_host(source: Path | str, *words: str) -> Path:
        path = sdk / "hosts" / source
        cpp = path.suffix == ".cpp"
        cc = shutil.which("c++" if cpp else "cc")
        if cc is None:
            pytest.skip("no compiler")
        target = folder / path.name.replace(".", "_")
        command = [
            *(cc, "-std=c++17" if cpp else "-std=c99", "-pedantic", "-Wall", "-Wextra", "-Werror"),
            *(str(path), f"-I{sdk / 'include'}", f"-L{sdk / 'lib'}", "-lvoicegraph", *words),
            *(f"-Wl,-rpath,{sdk / 'lib'}", "-o", str(target)),
        ]
        subprocess.run(command, check=True)
        return target

    return compile_host


@pytest.fixture(scope="session")
def run_host(sdk: Path) -> Run:
    """Runs a command that loads the library."""

    def run(command: Sequence[str | Path]) -> Ran:
        program, *words = command
        found = shutil.which(program) or program
        ran = run_program(Path(found), *words, LD_LIBRARY_PATH=str(sdk / "lib"))
        # Mono says on its standard output that it does not know some of Linux's priorities.
        return replace(ran, out=re.sub(r"^mono_thread_.*unknown policy.*\n", "", ran.out))

    return run


@pytest.fixture(scope="session")
def speech_like() -> np.ndarray:
    """Half a second of sound ``[samples]`` at 48 kHz, up to half of full scale."""
    time = np.arange(24000) / 48000
    tone = 0.3 * np.sin(2 * np.pi * (140 + 40 * time) * time)
    noise = np.random.default_rng(3).uniform(-0.2, 0.2, len(time))
    return (tone + noise * (np.sin(9 * time) > 0)).astype(np.float32)


def processed(
    pipeline: str | Path,
    samples: np.ndarray,
    rate: int,
    blocks: int,
    live: Mapping[str, float] | None = None,
    target: Audio | None = None,
    **changes: Any,
) -> tuple[np.ndarray, int]:
    """What Python computes: output ``[channels, samples]`` of so many blocks, and its latency.

    Args:
        pipeline: name or file.
        samples: ``[channels, samples]``; silence follows.
        rate: Hz.
        blocks: how many are processed.
        live: params that are set before the first block.
        target: the format of the output; None: that of the pipeline.
        changes: ``overrides`` and ``profiles`` of the pipeline.
    """
    plan = Pipeline.load(pipeline, **changes).compile(Audio(Fraction(rate), len(samples)), target)
    size = plan.samples_in
    padded = np.zeros((len(samples), blocks * size), np.float32)
    kept = min(samples.shape[1], padded.shape[1])
    padded[:, :kept] = samples[:, :kept]
    with plan.session() as session:
        for param, value in (live or {}).items():
            session.set(param, value)
        made = [
            np.array(session.process(padded[:, i * size : (i + 1) * size])) for i in range(blocks)
        ]
    return np.concatenate(made, axis=-1), plan.latency_out
