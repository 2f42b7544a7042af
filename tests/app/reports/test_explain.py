"""The page of a plan, and where its latency is said to come from."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from voicegraph.app.reports._latency_shares import shares
from voicegraph.app.reports.plan_report import report_plan
from voicegraph.app.reports.text_table import WIDTH, Column, milliseconds, table, wrap
from voicegraph.graph.approximation import Approximation
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.signals import Audio
from voicegraph.nodes.dsp.gain import Gain
from voicegraph.schemas.plan_report import PlanReport

NODES: dict[str, Any] = {
    "clean": node("test.around", "input", back=32, ahead=16),
    "f0": node("test.tracker", "clean"),
    "voice": node("test.vocoder", {"audio": "clean", "pitch": "f0"}),
    "joined": node("test.join", "voice", back=160, ahead=320),
    "low": {"use": "dsp.gain", "in": "joined", "enabled": False},
    "far": {
        "use": "test.both",
        "in": {"one": "low", "other": "echo"},
        "device": "cuda:0",
        "fallback": "cpu",
        "dtype": "float16",
    },
    "echo": node("test.shift", "far", by=640),
    "unused": node("dsp.gain", "input"),
}
PAGE = """\
pipeline  rich   plan {hash}
block     20 ms
input     audio 16000 Hz x1, 320 samples a block
output    far.out: audio 16000 Hz x1, 320 a block
settings  seed 0, threads of the machine, on_nan error, on_late fade

latency
  algorithmic  21 ms  look-ahead and overlap
  buffering    40 ms  2 blocks of 20 ms in a live session: one fills while one plays
  device        ? ms  latency of the sound card; known only live
  measured      ? ms  from microphone to loudspeaker; known only live
  Compute time adds no latency; it must stay below the block of 20 ms.
  Causes of the algorithmic latency, from the input to the output:
     +1 ms  clean (test.around) reads ahead in audio
    +20 ms  joined (test.join) reads ahead in audio

node    use           reads           back  ahead  gives                span       latency  runs on
                                        ms     ms                       ms              ms
------  ------------  --------------  ----  -----  -------------------  ---------  -------  --------------
clean   test.around   input              2      1  audio 16000 Hz x1    stream 20        1  cpu float32
f0      test.tracker  clean              0      0  pitch 100 Hz         window 50        1  cpu float32
                                                   voiced: mask 100 Hz  window 50
voice   test.vocoder  audio <- clean     0      0  audio 16000 Hz x1    window 50        1  cpu float32
                      f0.pitch           0      0
joined  test.join     voice             10     20  audio 16000 Hz x1    stream 20       21  cpu float32
copy  far.out -> cpu   (from cuda:0)
echo    test.shift    far (feedback)    40    -40  audio 16000 Hz x1    stream 20       21  cpu float32
copy  joined.out -> cuda:0   (from cpu)
copy  echo.out -> cuda:0   (from cpu)
far     test.both     one <- joined      0      0  audio 16000 Hz x1    stream 20       21  cuda:0 float16
                      other <- echo      0      0

back, ahead: how far the input span of a node extends beyond its output span; a negative ahead is a delay.
span: a stream gives one block per tick; a window recomputes its whole span at every tick. latency: how far
the newest output is behind the newest input.

far     runs on cpu if cuda:0 is missing
low     switched off: its input passes through
unused  pruned: nothing that reaches the output uses it
"""  # noqa: E501


def _rich(**changes: Any) -> Pipeline:
    """Everything a plan can have: windows, a loop, copies, nodes that are off or unused."""
    keys = {"block": "20ms", "input": {"rate": 16000, "channels": 1}, "name": "rich"}
    return Pipeline(nodes={**NODES, **changes}, output="far", **keys)


def test_text_of_a_rich_plan() -> None:
    plan = _rich().compile()
    assert plan.explain() == PAGE.replace("{hash}", plan.hash)


def test_text_is_the_same_every_time() -> None:
    assert _rich().compile().explain() == _rich().compile().explain()


def test_plan_without_look_ahead(build: Callable[..., Pipeline]) -> None:
    page = build({"a": node("dsp.gain", "input")}).compile().explain()
    assert "  algorithmic   0 ms  look-ahead and overlap\n" in page
    assert "  Nothing reads ahead.\n" in page


def test_plan_with_all_nodes_off(build: Callable[..., Pipeline]) -> None:
    """The plan without a node: the output is the input."""
    plan = build({"a": {"use": "dsp.gain", "in": "input", "enabled": None}}).compile()
    page = plan.explain()
    assert "output    input.audio: audio 1200 Hz x1, 12 a block\n" in page
    assert page.endswith("a  switched off: its input passes through\n")


def test_approximations_say_what_switches_them_off(
    build: Callable[..., Pipeline], monkeypatch: pytest.MonkeyPatch
) -> None:
    found = Approximation("db", "leaves half of it out", -6.5)
    monkeypatch.setattr(Gain, "approximations", lambda self, params: [found])
    plan = build({"a": node("dsp.gain", "input")}).compile()
    path = "nodes.a.params.db"
    line = f"  {path} 0.0: leaves half of it out (off: --set {path}=-6.5)\n"
    assert f"\napproximations\n{line}" in plan.explain()
    (told,) = report_plan(plan).nodes[0].approximations
    assert (told.param, told.value, told.exact) == ("db", 0.0, -6.5)


def test_driver_nodes_are_noted() -> None:
    lines = _rich().compile(Audio(Fraction(44100), 2)).explain().splitlines()
    for name in ("input.to_mono", "input.resample"):
        assert f"{name:<14}  added by the driver, whose audio type differs from the file's" in lines
        row = next(i for i, line in enumerate(lines) if line.startswith(name))
        assert "(driver)" in "".join(lines[row : row + 2])
    assert any("input.resample (dsp.resample) reads ahead in audio" in line for line in lines)


def test_params_dropped_by_a_swap_are_noted(tmp_path: Any) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(
        "block: 10ms\nnodes:\n  a: {use: dsp.gain, in: input, params: {db: -6}}\noutput: a\n"
    )
    page = Pipeline.load(file, {"nodes.a.use": "dsp.to_mono"}).compile().explain()
    assert "a  swapped; dsp.to_mono does not have these params: db\n" in page


def test_generator_reads_nothing(build: Callable[..., Pipeline]) -> None:
    page = build({"a": node("test.count")}).compile().explain()
    row = next(line for line in page.splitlines() if line.startswith("a "))
    assert row.split()[:3] == ["a", "test.count", "-"]


def test_delay_hides_look_ahead(build: Callable[..., Pipeline]) -> None:
    nodes = {"a": node("test.around", "input", ahead=12), "b": node("test.shift", "a", by=6)}
    page = build(nodes).compile().explain()
    assert "  algorithmic   5 ms  " in page
    assert "    +10 ms  a (test.around) reads ahead in audio\n" in page
    assert "     -5 ms  b (test.shift) delays audio\n" in page


def test_latency_follows_the_critical_path(build: Callable[..., Pipeline]) -> None:
    nodes = {
        "near": node("test.around", "input", ahead=6),
        "far": node("test.around", "input", ahead=24),
        "sum": node("test.sum", {"one": "near", "other": "far"}),
    }
    plan = build(nodes).compile()
    assert [(s.node, s.port, s.ahead) for s in shares(plan)] == [("far", "audio", Fraction(1, 50))]


def test_the_path_that_decides_next_is_named(build: Callable[..., Pipeline]) -> None:
    def compiled(far: int):
        return build(
            {
                "near": node("test.around", "input", ahead=6),
                "far": node("test.around", "input", ahead=far),
                "sum": node("test.sum", {"one": "near", "other": "far"}),
                "end": node("test.around", "sum", ahead=12),
            }
        ).compile()

    plan = compiled(24)
    far, end = shares(plan)
    assert far.limit is not None
    assert far.limit.node == "near"
    assert plan.latency.algorithmic - compiled(0).latency.algorithmic == far.limit.gain
    assert end.limit is None  # every path leads through it
    page = plan.explain()
    assert "at most 15 ms of it can be gained: near would decide next" in page
    assert "nothing can be gained here alone: far would decide next" in compiled(6).explain()


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["test.around", "test.shift", "test.sum", "test.pool", "test.hold"]),
            st.integers(0, 9),
            st.integers(0, 9),
            st.integers(0, 6),
        ),
        min_size=1,
        max_size=8,
    )
)
def test_latency_shares_add_up(
    build: Callable[..., Pipeline], drawn: list[tuple[str, int, int, int]]
) -> None:
    """Whatever the graph; and all of them lie on one path from the input to the output."""
    nodes: dict[str, Any] = {}
    names, rates = ["input"], {"input": Fraction(1200)}
    for i, (use, a, b, amount) in enumerate(drawn):
        name, one = f"n{i}", names[a % len(names)]
        same = [other for other in names if rates[other] == rates[one]]
        inputs = {"one": one, "other": same[b % len(same)]} if use == "test.sum" else one
        params = {
            "test.around": {"ahead": amount},
            "test.shift": {"by": amount - 3},
        }.get(use, {})
        nodes[name] = node(use, inputs, **params)
        factor = {"test.pool": Fraction(1, 2), "test.hold": Fraction(2)}.get(use, Fraction(1))
        rates[name] = rates[one] * factor
        if (rates[name] / 100).denominator == 1:
            names.append(name)
        else:
            del nodes[name]
    if not nodes:
        return
    plan = build(nodes).compile()
    found = shares(plan)
    assert sum(share.ahead for share in found) == plan.latency.algorithmic
    feeds = {n.name: {link.source.node for link in n.inputs.values()} for n in plan.nodes}

    def reaches(start: str, end: str) -> bool:
        return start == end or any(reaches(start, s) for s in feeds.get(end, ()))

    on_path = [share.node for share in found if share.node] + [plan.output.node]
    assert all(reaches(a, b) for a, b in pairwise(on_path))


def test_report_survives_json() -> None:
    found = report_plan(_rich().compile())
    assert PlanReport.model_validate_json(found.model_dump_json()) == found
    assert [copy.to_device for copy in found.copies] == ["cpu", "cuda:0", "cuda:0"]


def test_output_on_a_gpu_is_copied_back() -> None:
    nodes = {"a": {"use": "test.both", "in": {"one": "input"}, "device": "cuda"}}
    page = Pipeline(block="10ms", nodes=nodes, output="a").compile().explain()
    assert "copy  input.audio -> cuda   (from cpu)\n" in page
    assert "copy  a.out -> cpu   (from cuda, the output)\n" in page


def test_wide_tables_wrap() -> None:
    columns = (Column("a", wraps=True), Column("b", right=True))
    rows = [["some words.with_many-parts/to break at " * 6, "12"], "across all of it"]
    lines = table(columns, rows)
    assert all(len(line) <= WIDTH for line in lines)
    width = len(lines[1].split()[0])
    words = "".join(line[:width] for line in lines[2:-1]).replace(" ", "")
    assert words == rows[0][0].replace(" ", "")
    assert lines[-1] == "across all of it"


@given(st.text(alphabet="ab .-_/", max_size=60), st.integers(1, 20))
def test_wrapping_loses_nothing_but_spaces(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert lines
    assert all(len(line) <= width for line in lines)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (-0.0, "0"), (-0.0001, "0"), (12.5, "12.5"), (-10.0, "-10"), (1 / 3, "0.333")],
)
def test_milliseconds_are_formatted(value: float, text: str) -> None:
    assert milliseconds(value) == text
