"""Networks of nodes become files that are kept only if they compute what the nodes do."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.graph.errors import ExportError, OutputError, PipelineError
from voicegraph.graph.export import FORMS, export_network, exportable
from voicegraph.graph.network_export import ExportedNetwork, ExportedTensor
from voicegraph.graph.pipeline import Pipeline, Plan, node

from ...conftest import Register
from .toy_networks import Exporting, StaticInTruth, recurrent, smoothed, summed

Make = Callable[[], ExportedNetwork | None]


@pytest.fixture
def plan(scratch_registry: Register) -> Callable[[Make], Plan]:
    """A plan whose node `net` exports what a function makes."""

    def made(make: Make) -> Plan:
        used = type("Used", (Exporting,), {"make": staticmethod(make)})
        scratch_registry("test.exporting")(used)
        nodes = {"net": node("test.exporting", "input"), "low": node("dsp.gain", "net", db=-6)}
        return Pipeline(block="10ms", nodes=nodes, output="low").compile()

    return made


@pytest.mark.parametrize("form", FORMS)
def test_each_form_is_written_and_compared(
    form: str, plan: Callable[[Make], Plan], tmp_path: Path
) -> None:
    target = tmp_path / f"net{FORMS[form].endings[0]}"
    found = export_network(plan(smoothed), "net", target, form=form)
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert found.size_bytes == target.stat().st_size
    assert [length.ok for length in found.lengths] == [True] * 3
    assert [(x.name, x.axes, x.dtype) for x in found.inputs] == [("x", [1, "samples"], "float32")]


@pytest.mark.parametrize("form", FORMS)
def test_state_goes_in_and_comes_out(
    form: str, plan: Callable[[Make], Plan], tmp_path: Path
) -> None:
    found = export_network(plan(summed), "net", tmp_path / "net", form=form)
    assert [tensor.name for tensor in found.state] == ["total"]
    assert all(length.ok for length in found.lengths)


@pytest.mark.parametrize("form", FORMS)
def test_recurrent_layers_take_any_length(
    form: str, plan: Callable[[Make], Plan], tmp_path: Path
) -> None:
    found = export_network(plan(recurrent), "net", tmp_path / "net", form=form)
    assert all(length.ok for length in found.lengths)


def test_float16_has_the_module_of_the_node(plan: Callable[[Make], Plan], tmp_path: Path) -> None:
    def make() -> ExportedNetwork:
        class Half(torch.nn.Module):
            def forward(self, x: torch.Tensor) -> torch.Tensor:
                return smoothed().module.half()(x.half()).float()

        return smoothed(reduced=lambda dtype: Half())

    target = tmp_path / "net.ts"
    found = export_network(plan(make), "net", target, form="torchscript", dtype="float16")
    assert 0 < (found.lengths[0].outputs[0].largest or 0) < 1e-2


def test_float16_is_refused_where_the_node_has_none(
    plan: Callable[[Make], Plan], tmp_path: Path
) -> None:
    with pytest.raises(PipelineError, match="computes in float32 alone, not in float16") as found:
        export_network(plan(summed), "net", tmp_path / "net.ts", form="pt2", dtype="float16")
    assert found.value.problems[0].fix == "--dtype float32"


def test_a_network_that_differs_is_not_kept(plan: Callable[[Make], Plan], tmp_path: Path) -> None:
    made = plan(lambda: smoothed(StaticInTruth()))
    target = tmp_path / "net.ts"
    target.write_text("the earlier one")
    with pytest.raises(ExportError) as found:
        export_network(made, "net", target, form="torchscript", force=True)
    (problem,) = found.value.problems
    assert "differs from the node at 2 of 3 lengths; nothing was written" in problem.message
    assert [text for text, _ in problem.notes] == [
        "at samples 11: y: expected sizes [1, 10], found sizes [1, 6]",
        "at samples 23: y: expected sizes [1, 22], found sizes [1, 6]",
    ]
    assert [path.name for path in tmp_path.iterdir()] == [target.name]
    assert target.read_text() == "the earlier one"
    assert found.value.exit_code == 9


def test_a_module_that_cannot_be_exported_is_a_sentence(
    plan: Callable[[Make], Plan], tmp_path: Path
) -> None:
    class Strange(torch.nn.Module):
        def forward(self, x: torch.Tensor) -> torch.Tensor:
            return x if x.sum() > 0 else -x

    with pytest.raises(ExportError, match=r"cannot be written as a program of torch\.export: "):
        export_network(plan(lambda: smoothed(Strange())), "net", tmp_path / "n.pt2", form="pt2")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "says", "fix"),
    [
        ("low", r"low \(dsp.gain\) has no network that can be exported", "--node net"),
        ("nothing", "nothing: it is not in the plan; nodes: net, low", "--node net"),
    ],
)
def test_a_node_without_network_is_refused(
    name: str, says: str, fix: str, plan: Callable[[Make], Plan], tmp_path: Path
) -> None:
    made = plan(smoothed)
    assert list(exportable(made)) == ["net"]
    with pytest.raises(PipelineError, match=says) as found:
        export_network(made, name, tmp_path / "net.ts", form="torchscript")
    assert found.value.problems[0].fix == fix


def test_params_without_a_network_are_refused(plan: Callable[[Make], Plan], tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match="has no network with these params; no other node"):
        export_network(plan(lambda: None), "net", tmp_path / "net.ts", form="torchscript")


def test_an_existing_file_stays(plan: Callable[[Make], Plan], tmp_path: Path) -> None:
    target = tmp_path / "net.ts"
    target.write_text("mine")
    with pytest.raises(OutputError, match="exists"):
        export_network(plan(smoothed), "net", target, form="torchscript")


def test_onnx_says_names_metadata_and_defaults(
    plan: Callable[[Make], Plan], tmp_path: Path
) -> None:
    onnx = pytest.importorskip("onnx")

    class Scaled(torch.nn.Module):
        def forward(self, x: torch.Tensor, by: torch.Tensor) -> torch.Tensor:
            return x * by

    def make() -> ExportedNetwork:
        return smoothed(
            Scaled(),
            inputs={
                "x": ExportedTensor((1, "samples")),
                "by": ExportedTensor((1, "samples"), default=torch.full((1, 1), 2.0)),
            },
            outputs={"y": ExportedTensor((1, "samples"))},
            example=lambda n: {"x": torch.rand(1, 5 + n), "by": torch.rand(1, 5 + n)},
            reference=lambda values: {"y": values["x"] * values["by"]},
        )

    target = tmp_path / "net.onnx"
    export_network(plan(make), "net", target)
    model = onnx.load(target)
    onnx.checker.check_model(model)
    sizes = [d.dim_param or d.dim_value for d in model.graph.input[0].type.tensor_type.shape.dim]
    assert sizes == [1, "samples"]
    stated = {entry.key: entry.value for entry in model.metadata_props}
    card = json.loads(stated["voicegraph"])
    assert (card["kind"], card["use"], card["dtype"]) == ("export", "test.exporting", "float32")
    assert stated["metadata"] == "{}"
    import onnxruntime

    session = onnxruntime.InferenceSession(target)
    assert [given.name for given in session.get_inputs()] == ["x"]
    x = torch.rand(1, 9).numpy()
    assert np.array_equal(np.asarray(session.run(["y"], {"x": x})[0]), 2 * x)


def test_onnx_files_of_one_network_are_equal(plan: Callable[[Make], Plan], tmp_path: Path) -> None:
    pytest.importorskip("onnx")
    made = plan(smoothed)
    files = [tmp_path / "one.onnx", tmp_path / "two.onnx"]
    for file in files:
        export_network(made, "net", file)
    one, two = (file.read_bytes() for file in files)
    assert one == two
    assert b"toy_networks" not in one  # where in Python a layer came from
