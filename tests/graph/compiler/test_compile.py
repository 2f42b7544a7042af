"""All phases: several mistakes at once, and the same plan every time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.pipeline import Pipeline, node

Build = Callable[..., Pipeline]

MANY = """\
block: 7ms
threds: 3
input: {rate: 44100}
nodes:
  a: {use: dsp.gian, in: input}
  b: {use: dsp.gain, params: {db: loud}}
  c: {use: dsp.gain}
  d: {use: dsp.gain, in: nowhere, devise: cpu}
  f: {use: test.tracker, in: input}
  t: {use: test.total, in: input, dtype: float16}
  v: {use: test.vocoder, in: {audio: t, pitch: f}}
  unused: {use: test.tracker, in: input}
  s: {use: dsp.sola, in: v}
output: s
"""


def test_mistakes_of_all_phases_are_told_together(refused: Any) -> None:
    """Except in `unused`, which is pruned: without the others the file would compile."""
    error = refused(MANY)
    assert [(p.code, p.mark.line, p.mark.column) for p in error.problems] == [
        ("unknown-key", 2, 1),
        ("rate-against-block", 3, 8),
        ("unknown-node", 5, 12),
        ("wrong-type", 6, 35),
        ("missing-input", 7, 6),
        ("unknown-key", 8, 35),
        ("types-do-not-fit", 9, 30),
        ("cannot-place", 10, 42),
    ]
    assert all(p.fix for p in error.problems)
    text = str(error)
    assert text.count("p.yaml:") >= 8
    assert "Traceback" not in text


MENDED = [
    ("threds: 3", "threads: 3"),
    ("block: 7ms", "block: 10ms"),
    ("dsp.gian", "dsp.gain"),
    ("db: loud", "db: 0.0"),
    ("b: {use: dsp.gain", "b: {use: dsp.gain, in: input"),
    ("c: {use: dsp.gain", "c: {use: dsp.gain, in: input"),
    ("devise: cpu", "device: cpu"),
    ("in: nowhere", "in: input"),
    (
        "  f: {use: test.tracker, in: input}",
        "  f: {use: test.tracker, in: to16k}\n"
        "  to16k: {use: dsp.resample, in: input, params: {rate: 16000}}",
    ),
    ("dtype: float16", "dtype: float32"),
]


def test_fixing_mistakes_never_adds_new_ones(refused: Any, tmp_path: Path) -> None:
    text, counts = MANY, []
    for wrong, right in MENDED:
        counts.append(len(refused(text).problems))
        assert wrong in text
        text = text.replace(wrong, right)
    # Behind `db: loud` lies a missing input, behind `devise` an input that names no node.
    assert counts == [8, 7, 6, 5, 5, 4, 3, 3, 2, 1]
    path = tmp_path / "p.yaml"
    path.write_text(text, encoding="utf-8")
    assert Pipeline.load(path).compile().pruned == ("a", "b", "c", "d", "unused")


def test_python_pipeline_reports_all_mistakes() -> None:
    with pytest.raises(PipelineError) as caught:
        Pipeline(
            block="10ms",
            blok=3,
            nodes={"a": node("dsp.gian", "input"), "b": node("dsp.gain", "x", db=99)},
            output="b",
        )
    assert sorted(p.code for p in caught.value.problems) == [
        "no-such-node", "out-of-range", "unknown-key", "unknown-node",
    ]  # fmt: skip


def test_compiling_twice_gives_two_plans_of_one_hash(build: Build) -> None:
    pipeline = build({"a": node("test.around", "input", ahead=3)})
    one, other = pipeline.compile(), pipeline.compile()
    assert one.hash == other.hash
    assert one.find("a").node is not other.find("a").node


@pytest.mark.parametrize(
    "change",
    [
        {"block": "20ms"},
        {"input": {"rate": 2400}},
        {"seed": 1},
        {"nodes.a.params.back": 4},
        {"nodes.a.use": "test.estimate"},
        {"output": "input"},
    ],
)
def test_hash_changes_with_everything_that_affects_output(change: dict[str, Any]) -> None:
    keys: dict[str, Any] = {
        "block": "10ms",
        "input": {"rate": 1200},
        "nodes": {"a": node("test.around", "input", back=3), "j": node("test.join", "a")},
        "output": "j",
    }
    before = Pipeline(**keys).compile().hash
    for path, value in change.items():
        *parents, last = path.split(".")
        inner = keys
        for name in parents:
            inner = inner[name]
        inner[last] = value
    assert Pipeline(**keys).compile().hash != before


PROGRAM = """
from voicegraph import Audio, Pipeline, node
nodes = {"to16k": node("dsp.resample", "input", rate=16000),
         "high": node("dsp.gain", "to16k", db=-3),
         "mix": node("dsp.mix", {"dry": "to16k", "wet": "high"}, gains={"dry": -6, "wet": 0}),
         "unused": node("dsp.gain", "mix"), "off": {**node("dsp.gain", "mix"), "enabled": False}}
plan = Pipeline(block="10ms", nodes=nodes, output="off").compile(Audio(44100, 2))
found = plan.hash, repr(plan.describe())
"""


def test_plan_and_hash_are_the_same_in_every_process(tmp_path: Path) -> None:
    """With any seed of Python's hashes: this process has its own."""
    here: dict[str, Any] = {}
    exec(PROGRAM, here)
    there = subprocess.run(
        [sys.executable, "-c", PROGRAM + "print(*found, sep='\\n')"],
        env={
            **os.environ,
            "PYTHONHASHSEED": "1" if os.environ.get("PYTHONHASHSEED") != "1" else "2",
        },
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    assert there.stdout.splitlines() == list(here["found"])
    assert re.fullmatch("2-[0-9a-f]{16}", here["found"][0])
