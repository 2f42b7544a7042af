"""The reference runtime: its nodes and its edges against those of the pipeline."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from voicegraph.app.bundle import Bundle, Runtime, runtime
from voicegraph.app.bundle.conversion import converted
from voicegraph.app.bundle.network import BundledNetwork
from voicegraph.app.bundle.ports import NodeSpec
from voicegraph.app.bundle.retrieval import Retrieval
from voicegraph.graph.errors import PipelineError, WeightsError
from voicegraph.graph.export import exportable, load_network
from voicegraph.graph.export._bundle_values import plan_values
from voicegraph.graph.export.bundle_plan import bundle_plan
from voicegraph.graph.files.onnx_files import builder
from voicegraph.graph.network_export import ExportedNetwork
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.bundle import BundleManifest, BundleNetwork, BundleTensor

from ...tolerance import EXPORTED, assert_close

pytestmark = pytest.mark.numeric


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("rvc")
    write_models(folder)
    return folder


def _pipeline(files: Path, **overrides: Any) -> Pipeline:
    given = {
        "vars.voice": str(files / "voice.pth"),
        "assets.hubert": str(files / "hubert.safetensors"),
        "assets.rmvpe": str(files / "rmvpe.pt"),
        "vars.index": str(files / "added.index"),
        "vars.extra": "300ms",
        "vars.transpose": 3,
        "nodes.f0.use": "f0.rmvpe",
        "block": "100ms",
        **overrides,
    }
    return Pipeline.load("rvc", given)


class _InTorch:
    """An exported network in PyTorch in the place of one in ONNX Runtime."""

    def __init__(self, exported: ExportedNetwork, described: BundleNetwork) -> None:
        self.exported, self.described = exported, described

    def __call__(self, **inputs: np.ndarray | float) -> dict[str, np.ndarray]:
        given = []
        for name, tensor in self.exported.inputs.items():
            value = inputs[name] if tensor.default is None else inputs.get(name, tensor.default)
            found = torch.as_tensor(value).to(tensor.dtype)
            assert found.dim() == len(tensor.axes), name
            given.append(found)
        with torch.no_grad():
            made = self.exported.module(*given)
        made = made if isinstance(made, tuple) else (made,)
        return {name: x.numpy() for name, x in zip(self.exported.outputs, made, strict=True)}


def _bundle(pipeline: Pipeline, files: Path, monkeypatch: pytest.MonkeyPatch) -> Bundle:
    """A bundle whose networks run in PyTorch, so that none is written."""
    plan = pipeline.compile()
    networks = {name: load_network(plan, name) for name in exportable(plan)}
    described = {name: _described(name, found) for name, found in networks.items()}

    def in_torch(found: BundleNetwork, path: Path, threads: int) -> _InTorch:
        return _InTorch(networks[found.file], found)

    monkeypatch.setattr(runtime, "BundledNetwork", in_torch)
    index = {"retrieval.index": str(files / "added.index")}
    manifest = BundleManifest(
        pipeline=plan.name,
        hash=plan.hash,
        made_with={},
        networks=described,
        without_network=[],
        checks={},
        blocks="",
        files=[],
    )
    monkeypatch.setattr(Bundle, "path", lambda self, name: Path(name))
    return Bundle(files, manifest, bundle_plan(plan, {name: name for name in networks}, index))


def _described(name: str, found: ExportedNetwork) -> BundleNetwork:
    def tensors(given: Mapping[str, Any]) -> dict[str, BundleTensor]:
        return {
            key: BundleTensor(axes=list(x.axes), dtype=str(x.dtype).removeprefix("torch."))
            for key, x in given.items()
        }

    inputs, outputs = tensors(found.inputs), tensors(found.outputs)
    return BundleNetwork(file=name, form="onnx", inputs=inputs, outputs=outputs, state={}, check="")


VARIANTS: dict[str, dict[str, Any]] = {
    "as it is": {},
    "no index": {"vars.index": None},
    "no pitch": {"vars.voice": "plain.pth"},
    "other sizes": {
        "block": "70ms",
        "vars.extra": "500ms",
        "vars.output_rate": 44100,
        "vars.noise_scale": 0.3,
        "vars.source_noise": 0.5,
        "nodes.f0.params.lookahead": "20ms",
    },
    "higher formants": {"vars.formant": 2.5},
    "lower formants": {"vars.formant": -4},
}


@pytest.mark.parametrize("variant", VARIANTS)
def test_output_is_that_of_the_pipeline(
    files: Path, monkeypatch: pytest.MonkeyPatch, variant: str
) -> None:
    overrides = dict(VARIANTS[variant])
    if "vars.voice" in overrides:
        overrides["vars.voice"] = str(files / overrides["vars.voice"])
    pipeline = _pipeline(files, **overrides)
    values, _ = plan_values(pipeline.compile())
    size = pipeline.compile().samples_in
    run = Runtime(_bundle(pipeline, files, monkeypatch))
    blocks = np.split(values["input"], values["input"].shape[1] // size, 1)
    made = np.concatenate([run.tick(block) for block in blocks], 1)
    assert np.abs(values["output"]).max() > 0.01
    assert_close(made.reshape(values["output"].shape), values["output"], EXPORTED)


def test_a_file_is_aligned_with_its_input_and_equally_long(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = _pipeline(files)
    plan = pipeline.compile()
    audio = np.random.default_rng(1).normal(0, 0.1, (1, 23456)).astype(np.float32)
    with plan.session(warm_up=False) as session:
        expected = np.concatenate((session.push(audio), session.flush()), 1)[:, plan.latency_out :]
    total = round(Fraction(23456) / plan.source.rate * plan.output_type.rate)
    run = Runtime(_bundle(pipeline, files, monkeypatch))
    made = np.concatenate(list(converted(run, audio, total)), 1)
    assert made.shape == (1, total)
    assert_close(made, expected[:, :total], EXPORTED)


def test_a_node_that_is_not_implemented_is_named(
    files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = _pipeline(files, **{"nodes.f0.use": "f0.dio"})
    with pytest.raises(PipelineError, match=r"does not implement f0 \(f0\.dio\)"):
        Runtime(_bundle(pipeline, files, monkeypatch))


def test_a_network_that_no_runtime_should_see_is_refused(tmp_path: Path) -> None:
    """Its hash may be that of the manifest: who makes a bundle writes both."""
    pytest.importorskip("onnxruntime")
    one, two = (builder.value(name, "float32", (1, 2)) for name in "xy")
    foreign = builder.operator("Run", ["x"], ["y"], domain="my.library")
    path = tmp_path / "net.onnx"
    path.write_bytes(builder.model(builder.graph([foreign], [one], [two])))
    described = BundleNetwork(
        file="net.onnx", form="onnx", inputs={}, outputs={}, state={}, check=""
    )
    with pytest.raises(WeightsError, match=r"my\.library"):
        BundledNetwork(described, path)


def test_a_damaged_index_is_refused(
    files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """FAISS itself would allocate what it declares."""
    bundle = _bundle(_pipeline(files), files, monkeypatch)
    spec = NodeSpec.of(
        next(found for found in bundle.plan.nodes if found.use == "retrieval.faiss"),
        Fraction(bundle.plan.block),
    )
    data = bytearray((files / "added.index").read_bytes())
    data[8:16] = (1 << 60).to_bytes(8, "little")  # the number of vectors
    (tmp_path / "a.index").write_bytes(data)
    with pytest.raises(WeightsError, match="a retrieval index, but"):
        Retrieval(spec, tmp_path / "a.index")


def test_pytorch_is_never_imported() -> None:
    """Neither by the runtime nor by the commands that use it."""
    code = (
        "import sys; import voicegraph.app.bundle, voicegraph.app.bundle.runtime;"
        "import voicegraph.graph.files.onnx_files.load, voicegraph.graph.files.faiss_files.load;"
        "import voicegraph.app.bundle.check; from voicegraph.app.cli.app import main;"
        "main(['bundle', 'check', 'nowhere']); main(['bundle', 'run', 'no', 'in.wav', 'out.wav']);"
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "nowhere is no bundle" in done.stderr
