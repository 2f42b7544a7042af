"""Bundles: what is in them, and what a folder must be to become one."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from voicegraph.app.bundle import open_bundle
from voicegraph.graph.errors import ExportError, InputError, OutputError
from voicegraph.graph.export import write_bundle
from voicegraph.graph.network_export import ExportedNetwork
from voicegraph.graph.pipeline import Pipeline, node

from ...conftest import Register
from .toy_networks import Exporting, StaticInTruth, smoothed, summed

Make = Callable[[], ExportedNetwork]
Bundled = Callable[..., Pipeline]


@pytest.fixture
def pipeline(scratch_registry: Register) -> Bundled:
    """A pipeline whose node `net` exports what a function makes."""

    def made(make: Make = summed) -> Pipeline:
        used = type("Used", (Exporting,), {"make": staticmethod(make)})
        scratch_registry("test.exporting")(used)
        nodes = {
            "slow": node("dsp.gain", "input", db=-6),
            "net": node("test.exporting", "slow"),
            "smooth": node("dsp.resample", "net", rate=8000),
        }
        return Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="smooth")

    return made


def _bundle(pipeline: Pipeline, folder: Path, force: bool = False) -> Path:
    write_bundle(pipeline, folder, form="torchscript", force=force)
    return folder


def test_plan_and_networks_are_described(pipeline: Bundled, tmp_path: Path) -> None:
    found = open_bundle(_bundle(pipeline(), tmp_path / "made"))
    plan, network = found.plan, found.manifest.networks["net"]
    compiled = pipeline().compile()
    assert [n.name for n in plan.nodes] == ["slow", "net", "smooth"]
    assert (plan.output, plan.samples_out, plan.latency) == (
        "smooth.out",
        compiled.samples_out,
        compiled.latency_out,
    )
    assert plan.nodes[2].inputs["audio"].given.start != plan.nodes[1].outputs["out"].start
    assert found.manifest.without_network == ["slow", "smooth"]
    assert (list(network.inputs), list(network.state)) == (["x"], ["total"])
    assert network.begin is not None
    assert found.arrays(network.begin)["total"].tolist() == [0.0]


def test_values_are_those_of_the_node_and_of_the_session(pipeline: Bundled, tmp_path: Path) -> None:
    found = open_bundle(_bundle(pipeline(), tmp_path / "made"))
    call = found.arrays(found.manifest.networks["net"].check)
    assert np.allclose(call["out.y"], call["in.x"].cumsum(1))
    assert np.allclose(call["next.total"], call["in.x"].sum(1))
    gain = found.arrays(found.manifest.checks["slow"])
    assert np.allclose(gain["out.out"], gain["in.audio"] * 10 ** (-6 / 20), atol=1e-6)
    assert np.abs(gain["in.audio"]).max() > 0.01
    blocks = found.arrays(found.manifest.blocks)
    assert blocks["input"].shape[1] == 2 * blocks["output"].shape[1]
    newest = found.arrays(found.manifest.checks["smooth"])["out.out"][0]
    assert np.array_equal(blocks["output"][:, -newest.shape[1] :], newest)


def test_state_of_nodes_is_that_before_and_after_the_block(
    pipeline: Bundled, tmp_path: Path
) -> None:
    found = open_bundle(_bundle(pipeline(), tmp_path / "made"))
    state = found.arrays(found.manifest.checks["smooth"])
    assert state["next.position"] - state["state.position"] == 160


def test_the_same_pipeline_gives_the_same_bytes(pipeline: Bundled, tmp_path: Path) -> None:
    one, two = (_bundle(pipeline(), tmp_path / name) for name in ("one", "two"))
    names = sorted(p.relative_to(one) for p in one.rglob("*") if p.is_file())
    arrays = [name for name in names if name.suffix in (".json", ".npz")]
    assert len(arrays) > 6
    for name in arrays:
        if name.name != "manifest.json":  # a TorchScript file differs from run to run
            assert (one / name).read_bytes() == (two / name).read_bytes(), name


def test_a_wrong_network_leaves_nothing(pipeline: Bundled, tmp_path: Path) -> None:
    with pytest.raises(ExportError):
        _bundle(pipeline(lambda: smoothed(StaticInTruth())), tmp_path / "made")
    assert list(tmp_path.iterdir()) == []


def test_only_a_bundle_is_replaced(pipeline: Bundled, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "letter.txt").write_text("dear")
    with pytest.raises(OutputError, match="exists, and is no bundle"):
        _bundle(pipeline(), tmp_path / "mine", force=True)
    made = _bundle(pipeline(), tmp_path / "made")
    with pytest.raises(OutputError, match="it holds a bundle") as caught:
        _bundle(pipeline(), made)
    assert "--force" in str(caught.value)
    (made / "files").mkdir()
    _bundle(pipeline(), made, force=True)
    assert not (made / "files").exists()


# ---- reading --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bundle without networks."""
    nodes = {"slow": node("dsp.gain", "input", db=-6)}
    pipeline = Pipeline(block="10ms", input={"rate": 16000}, nodes=nodes, output="slow")
    return _bundle(pipeline, tmp_path_factory.mktemp("bundle") / "made")


@pytest.fixture
def made(template: Path, tmp_path: Path) -> Path:
    import shutil

    return Path(shutil.copytree(template, tmp_path / "made"))


def _refused(folder: Path) -> str:
    with pytest.raises(InputError) as caught:
        open_bundle(folder)
    return str(caught.value)


def test_a_changed_or_missing_file_is_named(made: Path) -> None:
    check = made / "checks" / "nodes" / "slow.npz"
    check.write_bytes(check.read_bytes()[:-1] + b"x")
    assert "slow.npz is not the file that manifest.json lists" in _refused(made)
    check.unlink()
    assert "slow.npz is missing" in _refused(made)


def test_what_is_no_bundle_is_said(made: Path, tmp_path: Path) -> None:
    assert "is no bundle: it has no manifest.json" in _refused(tmp_path)
    (made / "manifest.json").write_text("[]")
    assert "manifest.json" in _refused(made)


@pytest.mark.parametrize("path", ["../secret", "/etc/hosts", "a\\b", ""])
def test_paths_outside_of_the_folder_are_refused(made: Path, path: str) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    manifest["files"].append({"path": path, "bytes": 0, "sha256": "0"})
    (made / "manifest.json").write_text(json.dumps(manifest))
    assert "lies outside of the bundle" in _refused(made)


def test_a_later_format_is_said(made: Path) -> None:
    manifest = json.loads((made / "manifest.json").read_text())
    (made / "manifest.json").write_text(json.dumps({**manifest, "format": 2, "more": 1}))
    assert "format 2; this version of voicegraph reads format 1" in _refused(made)


def test_arrays_that_would_run_code_are_refused(made: Path) -> None:
    found = open_bundle(made)
    np.savez(made / "checks" / "nodes" / "slow.npz", key=np.array([object()], dtype=object))
    with pytest.raises(InputError, match=r"not an \.npz file of arrays"):
        found.arrays("checks/nodes/slow.npz")
