"""Drawings: the layout keeps everything apart, and every format says everything."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from fractions import Fraction
from itertools import combinations, pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.app.reports.drawing import SUFFIXES, draw
from voicegraph.app.reports.drawing._layout import Edge, Layout, Size, layout
from voicegraph.app.reports.drawing._rank_placement import GAP
from voicegraph.app.reports.drawing.style import SMALL, TEXT, TITLE
from voicegraph.graph.pipeline import Pipeline, Plan, node
from voicegraph.graph.signals import Audio

SVG = "{http://www.w3.org/2000/svg}"
NODES: dict[str, Any] = {
    "end": node("test.around", "input", ahead=16),
    "f0": node("test.tracker", "end"),
    "voice": node("test.vocoder", {"audio": "end", "pitch": "f0"}),
    "joined": node("test.join", "voice", back=160, ahead=320),
    "far": {"use": "test.both", "in": {"one": "joined", "other": "echo"}, "device": "cuda:1"},
    "echo": node("test.shift", "far", by=640),
    "off": {"use": "dsp.gain", "in": "far", "enabled": False},
    "unused": node("dsp.gain", "input"),
}


@pytest.fixture(scope="module")
def plan(_test_nodes: None) -> Plan:
    return _plan()


def _plan(name: str = "rich", rate: int = 16000) -> Plan:
    keys = {"block": "20ms", "input": {"rate": 16000, "channels": 1}, "name": name}
    pipeline = Pipeline(nodes=NODES, output="off", **keys)
    return pipeline.compile(Audio(Fraction(rate), 1))


# ---- layout ---------------------------------------------------------------------------------


@st.composite
def graphs(draw: st.DrawFn) -> tuple[list[Size], list[Edge]]:
    """Boxes of any size; edges forward, and some that are said to lead back."""
    count = draw(st.integers(1, 9))
    side = st.floats(10, 200)
    boxes = [Size(draw(side), draw(st.floats(10, 90))) for _ in range(count)]
    ends = st.tuples(st.integers(0, count - 1), st.integers(0, count - 1))
    edges = []
    for a, b in draw(st.lists(ends, max_size=14)):
        back = draw(st.booleans()) and a >= b
        if not back and a == b:
            continue
        source, target = (max(a, b), min(a, b)) if back else (min(a, b), max(a, b))
        share = draw(st.floats(0.1, 0.9))
        label = Size(draw(st.floats(10, 150)), draw(st.floats(10, 40)))
        source_x, target_x = boxes[source].width * share, boxes[target].width * share
        edges.append(Edge(source, source_x, target, target_x, label, back))
    return boxes, edges


def _rects(sizes: list[Size], places: list[tuple[float, float]]) -> list[tuple[float, ...]]:
    return [(x, y, x + s.width, y + s.height) for s, (x, y) in zip(sizes, places, strict=True)]


def _overlap(a: tuple[float, ...], b: tuple[float, ...]) -> bool:
    slack = 1e-6
    apart = a[2] <= b[0] + slack or b[2] <= a[0] + slack
    return not (apart or a[3] <= b[1] + slack or b[3] <= a[1] + slack)


@settings(max_examples=150)
@given(graphs())
def test_nothing_overlaps(graph: tuple[list[Size], list[Edge]]) -> None:
    boxes, edges = graph
    found = layout(boxes, edges)
    rects = _rects(boxes, found.boxes) + _rects([e.label for e in edges], found.labels)
    assert not [(a, b) for a, b in combinations(rects, 2) if _overlap(a, b)]
    for left, top, right, bottom in rects:
        assert left >= -1e-6
        assert top >= 0
        assert right <= found.width + 1e-6
        assert bottom <= found.height + 1e-6


@settings(max_examples=150)
@given(graphs())
def test_edges_join_their_ports_and_cross_no_box(graph: tuple[list[Size], list[Edge]]) -> None:
    boxes, edges = graph
    found = layout(boxes, edges)
    rects = _rects(boxes, found.boxes)
    for edge, route in zip(edges, found.routes, strict=True):
        x, y = found.boxes[edge.source]
        assert route[0] == pytest.approx((x + edge.source_x, y + boxes[edge.source].height))
        x, y = found.boxes[edge.target]
        assert route[-1] == pytest.approx((x + edge.target_x, y))
        for (x, y), (next_x, next_y) in pairwise(route):
            if x == next_x:  # straight through a rank; between ranks there are no boxes
                line = (x, min(y, next_y), x, max(y, next_y))
                assert not [rect for rect in rects if _overlap(line, rect)]


@given(graphs())
def test_forward_edges_run_down(graph: tuple[list[Size], list[Edge]]) -> None:
    boxes, edges = graph
    found = layout(boxes, edges)
    for edge, route in zip(edges, found.routes, strict=True):
        steps = [b[1] - a[1] for a, b in pairwise(route)]
        assert edge.back or min(steps) >= 0


@given(graphs())
def test_layout_is_the_same_every_time(graph: tuple[list[Size], list[Edge]]) -> None:
    assert layout(*graph) == layout(*graph)


def test_a_chain_is_straight() -> None:
    sizes = [Size(100, 40), Size(60, 40), Size(140, 40)]
    edges = [
        Edge(i, sizes[i].width / 2, i + 1, sizes[i + 1].width / 2, Size(80, 20)) for i in (0, 1)
    ]
    found = layout(sizes, edges)
    assert len({round(x, 6) for route in found.routes for x, _ in route}) == 1


def test_crossed_branches_are_uncrossed() -> None:
    """Two chains drawn in crossed order; a layout in the given order would cross them."""
    size, label = Size(50, 20), Size(20, 10)
    pairs = [(0, 2), (0, 1), (2, 3), (1, 4)]
    edges = [Edge(a, 25, b, 25, label) for a, b in pairs]
    found = layout([size] * 5, edges)
    assert (found.boxes[1][0] < found.boxes[2][0]) == (found.boxes[4][0] < found.boxes[3][0])


def test_neighbours_keep_their_distance() -> None:
    found = layout([Size(50, 20)] * 3, [Edge(0, 25, b, 25, Size(10, 10)) for b in (1, 2)])
    left, right = sorted(x for x, _ in found.boxes[1:])
    assert right - left >= 50 + GAP - 1e-6


def test_layout_of_nothing_is_empty() -> None:
    assert layout([], []) == Layout([], [], [], 0.0, 0.0)


# ---- SVG ------------------------------------------------------------------------------------


def _elements(svg: str, tag: str) -> list[ET.Element]:
    return list(ET.fromstring(svg).iter(SVG + tag))


def _texts(svg: str) -> list[str]:
    return ["".join(element.itertext()) for element in _elements(svg, "text")]


def test_svg_contains_all_texts(plan: Plan) -> None:
    texts = _texts(draw(plan, "svg"))
    for planned in plan.nodes:
        assert planned.name in texts
        assert planned.use in texts
    for expected in (
        "rich",
        "block 20 ms, algorithmic latency 21 ms, buffering 40 ms in a live session",
        "voiced",
        "pitch 100 Hz",
        "cuda:1 float32, 21 ms behind",
        "copy to cuda:1",
        "copy to cpu",
        "feedback",
        "stream -41 .. -21 ms",
        "switched off: off",
        "pruned, since nothing uses them: unused",
    ):
        assert expected in texts or any(expected in text for text in texts), expected


def test_svg_is_self_contained(plan: Plan) -> None:
    svg = draw(plan, "svg")
    assert re.findall(r"https?://[^\"]+", svg) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"<(script|image|use|foreignObject|link)\b|@import|url\(", svg)
    assert "@media (prefers-color-scheme: dark)" in svg


def test_svg_distinguishes_streams_windows_feedback(plan: Plan) -> None:
    classes = [path.get("class", "") for path in _elements(draw(plan, "svg"), "path")]
    links = [link for planned in plan.nodes for link in planned.inputs.values()]
    windows = sum(planned.given[p].window for planned in plan.nodes for p in planned.inputs)
    assert sum(c.startswith("rails") for c in classes) == windows + 1  # and one in the legend
    assert sum("back" in c.split() for c in classes) == sum(link.feedback for link in links) + 1


def test_svg_text_lies_inside_its_box(plan: Plan) -> None:
    """Measured as wide as any common monospaced face makes it."""
    svg = ET.fromstring(draw(plan, "svg"))
    graph = svg.find(f"{SVG}g")
    assert graph is not None
    boxes = [e for e in graph.iter(f"{SVG}rect") if "node" in e.get("class", "").split()]
    sizes = {"title": TITLE, "body": TEXT, "small": SMALL}
    inside = 0
    for text in graph.iter(f"{SVG}text"):
        width = len(text.text or "") * 0.61 * sizes[text.get("class", "").split()[0]]
        x, y = float(text.get("x", 0)), float(text.get("y", 0))
        for box in boxes:
            left, top = float(box.get("x", 0)), float(box.get("y", 0))
            right = left + float(box.get("width", 0))
            if left < x < right and top < y < top + float(box.get("height", 0)):
                assert left <= x - width / 2
                assert x + width / 2 <= right
                inside += 1
    assert inside >= 4 * len(plan.nodes)


def test_svg_is_the_same_every_time() -> None:
    assert _plan().draw("svg") == _plan().draw("svg")


@pytest.mark.parametrize("drawing", ["svg", "dot", "mermaid"])
def test_names_with_special_characters(drawing: Any) -> None:
    text = _plan('<a> & "b" \\').draw(drawing)
    if drawing == "svg":
        assert '<a> & "b" \\' in _texts(text)
    elif drawing == "dot":
        assert text.startswith('digraph "<a> & \\"b\\" \\\\" {\n')
        assert "label=<&lt;a&gt; &amp; &quot;b&quot; \\:" in text
    else:
        assert text.startswith('---\ntitle: \'<a> & "b" \\: block')


# ---- DOT and Mermaid ------------------------------------------------------------------------


def test_dot_contains_nodes_and_edges(plan: Plan) -> None:
    text = draw(plan, "dot")
    assert text.startswith('digraph "rich" {\n')
    assert text.endswith("}\n")
    edges = [line for line in text.splitlines() if " -> " in line]
    assert len(edges) == sum(len(planned.inputs) for planned in plan.nodes) + 1
    loop = next(line for line in edges if line.startswith('  "far":"out_out":s -> "echo"'))
    assert "style=dashed" in loop
    pitch = next(line for line in edges if '"f0":"out_pitch":s -> "voice":"in_pitch":n' in line)
    assert ":invis:" in pitch
    assert 'label="pitch 100 Hz\\nwindow -51 .. -1 ms"' in pitch
    for planned in plan.nodes:  # every port that an edge names is there
        for port in planned.node.output_types:
            assert f'port="out_{port}"' in text
        for port in planned.inputs:
            assert f'port="in_{port}"' in text


def test_mermaid_contains_nodes_and_edges(plan: Plan) -> None:
    lines = draw(plan, "mermaid").splitlines()
    assert lines[0] == "---"
    assert lines[3] == "flowchart TB"
    assert '  node_end -->|"audio 16000 Hz x1<br/>stream -51 .. -1 ms"| node_f0' in lines
    assert any(re.match(r"  node_far -\.->\|.*feedback.*\| node_echo$", line) for line in lines)
    assert any(re.match(r"  node_f0 ==>\|.*pitch to pitch.*\| node_voice$", line) for line in lines)
    assert "  class node_far away" in lines
    assert not any(re.match(r"\s*end\b", line) for line in lines)  # a word of the language


def test_driver_nodes_are_marked() -> None:
    plan = _plan(rate=48000)
    assert "  class node_input__resample driver" in plan.draw("mermaid")
    assert 'class="node driver"' in plan.draw("svg")
    assert "added by the driver" in plan.draw("dot")


def test_unknown_format_is_refused(plan: Plan) -> None:
    with pytest.raises(ValueError, match="'png'; there are: svg, dot, mermaid"):
        draw(plan, "png")  # pyright: ignore[reportArgumentType]


def test_file_endings_choose_formats() -> None:
    assert {SUFFIXES[s] for s in (".svg", ".dot", ".gv", ".mmd")} == {"svg", "dot", "mermaid"}


@pytest.mark.usefixtures("_test_nodes")
@pytest.mark.parametrize("form", sorted(set(SUFFIXES.values())))
def test_pipeline_name_with_control_characters(form: Any) -> None:
    drawn = draw(_plan("n\x1b]0;\x07\u202e<b>&\"'\n"), form)
    assert all(c.isprintable() or c == "\n" for c in drawn)
    assert "\\u202e" in drawn
    if form == "svg":
        ET.fromstring(drawn)
