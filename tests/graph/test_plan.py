"""The compiled pipeline as a value: sizes, look-ups, its description and its hash."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph.errors import PipelineError, VoicegraphError
from voicegraph.graph.node import FilePath, Node, NodeParams, Tensors
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.ports import In, Out, PortRef
from voicegraph.graph.signals import Audio

from ..conftest import Register

Build = Callable[..., Pipeline]


@pytest.fixture
def plan(build: Build) -> Plan:
    nodes = {
        "off": {**node("test.shift", "input"), "enabled": False},
        "unused": node("test.shift", "input"),
        "split": node("test.split", "off"),
        "join": node("test.join", "split.soon", ahead=4),
        "half": node("test.pool", "join"),
    }
    return build(nodes, seed=3, on_late="dry").compile(Audio(Fraction(2400), 2))


def test_sizes_of_a_block(plan: Plan) -> None:
    assert (plan.samples_in, plan.samples_out) == (24, 6)
    assert plan.latency_out == plan.latency.algorithmic * 600


def test_ports_are_found_by_their_text(plan: Plan) -> None:
    assert plan.port("input") == plan.port("input.audio") == PortRef("input", "audio")
    assert plan.port("split") == PortRef("split", "now")
    assert plan.port("split.soon") == PortRef("split", "soon")
    assert plan.port("input.resample") == PortRef("input.resample", "out")
    assert plan.port("input.resample.out") == PortRef("input.resample", "out")


@pytest.mark.parametrize(
    ("ref", "text"),
    [
        ("nowhere", "nowhere: it is not in the plan; nodes: input.to_mono, input.resample, split"),
        ("unused", "unused: it was pruned"),
        ("off.out", "off: it is switched off"),
        ("split.later", "split has no output `later`; it has: now, soon"),
        ("input.left", "input has no output `left`; it has: audio"),
        ("", "it is not in the plan"),
    ],
)
def test_ports_that_are_not_there(plan: Plan, ref: str, text: str) -> None:
    with pytest.raises(PipelineError) as caught:
        plan.port(ref)
    assert text in str(caught.value)


def test_specs_of_the_input_and_of_nodes(plan: Plan) -> None:
    source = plan.spec(plan.port("input"))
    assert source.shape(2) == (2, 2, 24)
    assert source.interval.end == 0
    assert plan.spec(plan.port("half")).shape(1) == (1, 1, 6)
    assert plan.spec(plan.port("split.soon")).window


def test_it_describes_itself_as_plain_data(plan: Plan) -> None:
    found = json.loads(json.dumps(plan.describe()))
    assert found["input"] == "audio 2400 Hz x2"
    assert found["output"] == {"port": "half.out", "type": "audio 600 Hz x1"}
    assert found["settings"] == {
        "seed": 3, "threads": None, "on_nan": "error", "on_late": "dry",
    }  # fmt: skip
    assert (found["bypassed"], found["pruned"]) == (["off"], ["unused"])
    names = ["input.to_mono", "input.resample", "split", "join", "half"]
    assert [entry["name"] for entry in found["nodes"]] == names
    assert found["nodes"][3]["inputs"]["audio"]["from"] == "split.soon"
    assert found["nodes"][2]["outputs"]["soon"]["window"]


def test_loading_changes_neither_description_nor_hash(build: Build) -> None:
    plan = build({"a": node("test.shift", "input")}).compile()
    before: Any = plan.hash, plan.describe()
    plan.session().close()
    assert (plan.hash, plan.describe()) == before


class FromFile(Node):
    """Reads a file."""

    class Params(NodeParams):
        weights: FilePath

    audio = In(Audio)
    out = Out(Audio, like="audio")

    def process(self, inputs: Tensors, params: Any, state: None) -> Tensors:
        return {"out": inputs["audio"].clone()}


@pytest.fixture
def from_file(tmp_path: Path, scratch_registry: Register) -> Callable[..., Plan]:
    """``from_file(folder, content)``: a plan that reads a file."""
    scratch_registry("test.from_file")(FromFile)

    def made(folder: str, content: str, file: str = "voice.pth", name: str = "test") -> Plan:
        path = tmp_path / folder / file
        path.parent.mkdir(exist_ok=True)
        path.write_text(content)
        nodes = {"a": node("test.from_file", "input", weights=str(path))}
        keys: dict[str, Any] = {"block": "10ms", "nodes": nodes, "output": "a"}
        return Pipeline(name=name, input={"rate": 1200}, **keys).compile()

    return made


def test_hash_is_made_of_contents(from_file: Callable[..., Plan]) -> None:
    plan = from_file("here", "12345")
    described = plan.describe()["nodes"][0]["params"]["weights"]
    sha256 = hashlib.sha256(b"12345").hexdigest()
    assert described == {"file": "voice.pth", "bytes": 5, "sha256": sha256}
    assert from_file("there", "12345").hash == plan.hash
    assert from_file("there", "12345", "other.pth").hash == plan.hash
    assert from_file("here", "67890").hash != plan.hash
    assert from_file("here", "12345", name="another").hash == plan.hash


def test_hash_of_a_plan_never_changes(from_file: Callable[..., Plan], tmp_path: Path) -> None:
    plan = from_file("here", "12345")
    before: Any = plan.hash, plan.describe()
    (tmp_path / "here" / "voice.pth").write_text("67890")
    assert (plan.hash, plan.describe()) == before
    (tmp_path / "here" / "voice.pth").unlink()
    assert (plan.hash, plan.describe()) == before


def test_weights_that_changed_after_compiling_are_refused(
    from_file: Callable[..., Plan], tmp_path: Path
) -> None:
    plan = from_file("here", "12345")
    path = tmp_path / "here" / "voice.pth"
    path.write_text("12345")  # copied over itself
    plan.session().close()
    plan = from_file("here", "12345")
    path.write_text("67890")
    with pytest.raises(VoicegraphError, match="changed after the pipeline was compiled"):
        plan.session()


def test_hash_takes_only_name_of_written_file(build: Build, tmp_path: Path) -> None:
    file = tmp_path / "heard.wav"
    plan = build({"a": node("io.probe", "input", file=str(file))}).compile()
    before = plan.hash
    file.write_text("left over from last time")
    assert plan.hash == before
