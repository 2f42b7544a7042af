"""The C++ host without Python, against the nodes: every port of every block."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pytest
import soundfile
import torch

from voicegraph.graph.export.bundle import write_bundle
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.retrieval._faiss_example import vectors

from ...tolerance import EXPORTED, Tolerance, assert_close

pytestmark = pytest.mark.slow
SOURCES = Path(__file__).resolve().parents[3] / "app" / "sdk" / "libtorch"
PORTS = (
    "content.content",
    "retrieval.out",
    "f0.pitch",
    "f0.voiced",
    "pitch.pitch",
    "voice.audio",
    "sola.out",
)
RATE, SECONDS = 16000, 1.6
HERTZ = Tolerance(
    "what an exported network may differ from its node, or two roundings of F0 in Hz",
    absolute=1e-4,
    relative=2.0**-23,
)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The program, compiled."""
    if shutil.which("cmake") is None or shutil.which("c++") is None:
        pytest.skip("needs CMake and a C++ compiler")
    build = tmp_path_factory.mktemp("libtorch")
    prefix = f"-DCMAKE_PREFIX_PATH={torch.utils.cmake_prefix_path}"
    made = _run("cmake", "-S", SOURCES, "-B", build, prefix)
    if "nlohmann_json" in made.stderr:
        pytest.skip("needs nlohmann-json: apt install nlohmann-json3-dev")
    assert made.returncode == 0, made.stderr
    made = _run("cmake", "--build", build, "--config", "Release")
    assert made.returncode == 0, made.stdout
    return next(path for path in build.rglob("bundle_host*") if os.access(path, os.X_OK))


def _run(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True)


def _pipeline(folder: Path, **overrides: Any) -> Pipeline:
    given = {
        "input.rate": RATE,
        "block": "100ms",
        "nodes.f0.use": "f0.rmvpe",
        "vars.voice": str(folder / "voice.pth"),
        "assets.hubert": str(folder / "hubert.safetensors"),
        "assets.rmvpe": str(folder / "rmvpe.pt"),
        "vars.index": str(folder / "flat.index"),
        "vars.extra": "300ms",
        "vars.transpose": 3,
        **overrides,
    }
    return Pipeline.load("rvc", given)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]) -> Path:
    made = tmp_path_factory.mktemp("models")
    write_models(made)
    index = faiss.IndexFlatL2(256)
    index.add(vectors(300, 256))  # pyright: ignore[reportCallIssue]
    faiss.write_index(index, str(made / "flat.index"))
    soundfile.write(made / "in.wav", _speech_like(), RATE, subtype="FLOAT")
    return made


def _speech_like() -> np.ndarray:
    time = np.arange(int(RATE * SECONDS)) / RATE
    phase = 2 * np.pi * np.cumsum(150 * (1 + 0.3 * np.sin(4 * time))) / RATE
    harmonics = sum(np.sin(k * phase) / k for k in range(1, 9)) * (np.sin(7 * time) > -0.6)
    return (0.1 * harmonics).astype(np.float32)


@pytest.fixture(scope="module")
def bundle(folder: Path) -> Path:
    write_bundle(_pipeline(folder), folder / "bundle", form="torchscript")
    return folder / "bundle"


def test_every_port_is_that_of_the_nodes(
    host: Path, folder: Path, bundle: Path, tmp_path: Path
) -> None:
    ports = tmp_path / "ports"
    ports.mkdir()
    made = _run(host, bundle, folder / "in.wav", tmp_path / "out.wav", "--ports", ports)
    assert made.returncode == 0, made.stderr
    audio = np.concatenate((_speech_like(), np.zeros(RATE, np.float32)))
    plan = _pipeline(folder).compile()
    found = {port: np.fromfile(ports / f"{port}.f32", np.float32) for port in PORTS}
    sounds = []
    with plan.session(warm_up=False) as session:
        blocks = len(found["sola.out"]) // plan.samples_out
        assert blocks >= SECONDS / float(plan.block)
        for k in range(blocks):
            block = audio[k * plan.samples_in :][: plan.samples_in]
            sounds.append(session.process(block, taps=PORTS))
            for port in PORTS:
                expected = np.asarray(session.taps[port]).ravel()
                values = found[port][k * expected.size :][: expected.size]
                assert_close(values, expected, HERTZ if port.endswith("pitch") else EXPORTED)
    whole, rate = soundfile.read(tmp_path / "out.wav", dtype="float32")
    latency = plan.latency_out
    assert len(whole) == round(SECONDS * rate)
    assert_close(whole, np.concatenate(sounds)[latency : latency + len(whole)], EXPORTED)


@pytest.mark.parametrize(
    ("source", "says"),
    [("missing.wav", "missing.wav: "), ("stereo.wav", "2 channels; the bundle takes 16000 Hz, 1")],
)
def test_wrong_sound_file_is_named(
    host: Path, folder: Path, bundle: Path, tmp_path: Path, source: str, says: str
) -> None:
    soundfile.write(tmp_path / "stereo.wav", np.zeros((100, 2)), RATE)
    made = _run(host, bundle, tmp_path / source, tmp_path / "out.wav")
    assert made.returncode == 1
    assert says in made.stderr
    assert not (tmp_path / "out.wav").exists()


def test_what_it_does_not_run_is_named(host: Path, folder: Path, tmp_path: Path) -> None:
    pipeline = _pipeline(folder, **{"nodes.f0.use": "f0.dio"})
    write_bundle(pipeline, tmp_path / "dio", form="torchscript")
    made = _run(host, tmp_path / "dio", folder / "in.wav", tmp_path / "out.wav")
    assert made.returncode == 1
    assert "f0: this program has no node f0.dio" in made.stderr


def test_folder_without_a_bundle_is_named(host: Path, tmp_path: Path) -> None:
    made = _run(host, tmp_path, tmp_path / "in.wav", tmp_path / "out.wav")
    assert made.returncode == 1
    assert "name a bundle's folder" in made.stderr
