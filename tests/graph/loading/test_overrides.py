"""Overrides: their forms, the paths that they may change, and the resulting places."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.errors import Mark, PipelineError, Problems
from voicegraph.graph.loading._merge import merge
from voicegraph.graph.loading.document import Document, from_python, parse_document
from voicegraph.graph.loading.overrides import (
    apply_overrides,
    from_command_line,
    from_dict,
    from_profile,
    parse_set,
)
from voicegraph.graph.pipeline import Pipeline

FOLDER = Path("folder").absolute()
FILE = """\
block: 10ms
vars: {voice: required, index: null}
assets: {hubert: required}
nodes:
  to16k: {use: dsp.resample, in: input, params: {rate: 16000}}
  f0: {use: f0.harvest, in: to16k, params: {floor: 50, ceiling: 1100}}
  synth: {use: synth.rvc, in: {content: to16k, pitch: f0}}
output: synth
profiles:
  deep: {nodes.f0.params.floor: 40, block: 20ms}
"""


def document() -> Document:
    return parse_document(FILE, "p.yaml", FOLDER)


def with_sets(*arguments: str) -> Document:
    problems = Problems()
    overrides = from_command_line(arguments, problems)
    result = apply_overrides(document(), overrides, problems)
    problems.raise_if_any()
    return result


def refused(*arguments: str):
    with pytest.raises(PipelineError) as caught:
        with_sets(*arguments)
    return [(problem.code, str(problem.mark), problem.fix) for problem in caught.value.problems]


# ---- writing ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("nodes.f0.use=f0.rmvpe", "nodes.f0.use", "f0.rmvpe"),
        ("vars.rate=0.5", "vars.rate", 0.5),
        ("vars.on=yes", "vars.on", "yes"),
        ("vars.index=", "vars.index", None),
        ("vars.index=null", "vars.index", None),
        ("vars.voice=a=b.pth", "vars.voice", "a=b.pth"),
        ("vars.voice='a #1.pth'", "vars.voice", "a #1.pth"),
        ("vars.voice=my voice.pth", "vars.voice", "my voice.pth"),
        ("nodes.x={use: a.b, in: input}", "nodes.x", {"use": "a.b", "in": "input"}),
        (" block = 5ms", "block", "5ms"),
    ],
)
def test_a_set_argument_is_path_and_yaml(text, path, value):
    assert parse_set(text) == (path, value)


@pytest.mark.parametrize(
    ("text", "code", "mark"),
    [
        ("block", "bad-override", "--set block"),
        ("=5", "bad-override", "--set "),
        ("a..b=5", "bad-override", "--set a..b"),
        ("a. b=5", "bad-override", "--set a. b"),
        (".".join("a" * 50) + "=5", "bad-override", "--set " + ".".join("a" * 50)),
        ("block=[5", "yaml-syntax", "--set block"),
        ("block={a: 1, a: 2}", "duplicate-key", "--set block"),
        ("block=!!int 5", "yaml-tag", "--set block"),
        ("block=#5", "yaml-comment", "--set block"),
        ("vars.voice=a #1.pth", "yaml-comment", "--set vars.voice"),
    ],
)
def test_a_bad_set_argument_is_refused(text, code, mark):
    with pytest.raises(PipelineError) as caught:
        parse_set(text)
    (problem,) = caught.value.problems
    assert (problem.code, str(problem.mark)) == (code, mark)
    assert problem.fix


# ---- applying -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "path", "value"),
    [
        ("block=5ms", ("block",), "5ms"),
        ("input.rate=44100", ("input", "rate"), 44100),
        ("vars.voice=a.pth", ("vars", "voice"), "a.pth"),
        ("assets.rmvpe=r.pt", ("assets", "rmvpe"), "r.pt"),
        ("nodes.f0.params.floor=60", ("nodes", "f0", "params", "floor"), 60),
        ("nodes.to16k.enabled=false", ("nodes", "to16k", "enabled"), False),
        ("nodes.synth.in.pitch=f0.pitch", ("nodes", "synth", "in", "pitch"), "f0.pitch"),
        ("nodes.gain={use: dsp.gain, in: synth}", ("nodes", "gain", "use"), "dsp.gain"),
        ("output=gain", ("output",), "gain"),
    ],
)
def test_override_has_own_mark_and_base(argument, path, value, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    result = with_sets(argument)
    found = result.data
    for part in path:
        found = found[part]
    assert found == value
    assert str(result.source_map.value(path)) == f"--set {argument.partition('=')[0]}"
    assert result.source_map.base(path) == tmp_path
    assert result.source_map.is_override(path)


def test_values_beside_override_keep_their_places():
    source_map = with_sets("nodes.f0.params.floor=60").source_map
    beside = ("nodes", "f0", "params", "ceiling")
    assert source_map.value(beside) == Mark("p.yaml", 6, 65)
    assert source_map.base(beside) == FOLDER
    assert not source_map.is_override(beside)


def test_python_overrides_are_marked_as_such():
    problems = Problems()
    overrides = from_dict({"nodes.f0.use": "f0.rmvpe"}, problems)
    result = apply_overrides(document(), overrides, problems)
    assert str(result.source_map.value(("nodes", "f0", "use"))) == "override nodes.f0.use"


def test_profile_values_keep_their_places():
    problems = Problems()
    base = document()
    result = apply_overrides(base, from_profile(base, "deep", problems), problems)
    floor = ("nodes", "f0", "params", "floor")
    assert result.data["nodes"]["f0"]["params"] == {"floor": 40, "ceiling": 1100}
    assert result.data["block"] == "20ms"
    assert result.source_map.value(floor) == Mark("p.yaml", 10, 33)
    assert result.source_map.base(floor) == FOLDER
    assert result.source_map.is_override(floor)


def test_the_last_override_wins():
    assert with_sets("block=5ms", "block=20ms").data["block"] == "20ms"


def test_mappings_merge_and_null_takes_out():
    data = with_sets("nodes.f0={params: {floor: 70}}", "nodes.to16k=null").data
    assert data["nodes"]["f0"]["params"] == {"floor": 70, "ceiling": 1100}
    assert "to16k" not in data["nodes"]
    assert with_sets("nodes.synth.in.pitch=").data["nodes"]["synth"]["in"] == {"content": "to16k"}


def test_overrides_do_not_change_the_document():
    before = document()
    problems = Problems()
    apply_overrides(before, from_dict({"nodes.f0.params.floor": 1}, problems), problems)
    assert before == document()


# ---- swapping a node ----------------------------------------------------------------------------


def test_changed_use_drops_override_status_of_params():
    result = with_sets("nodes.f0.use=f0.rmvpe")
    assert result.swapped == {"f0"}
    assert not result.source_map.is_override(("nodes", "f0", "params", "floor"))


@pytest.mark.parametrize("order", [1, -1])
def test_params_given_with_the_swap_are_never_dropped(order):
    arguments = ["nodes.f0.use=f0.rmvpe", "nodes.f0.params.threshold=0.03"]
    result = with_sets(*arguments[::order])
    assert result.source_map.is_override(("nodes", "f0", "params", "threshold"))
    assert not result.source_map.is_override(("nodes", "f0", "params", "floor"))


def test_override_inside_param_counts_for_param():
    result = with_sets("nodes.f0.params.bands={low: 1}", "nodes.f0.params.bands.high=2")
    assert result.source_map.is_override(("nodes", "f0", "params", "bands"))


@pytest.mark.parametrize("argument", ["nodes.f0.use=f0.harvest", "nodes.x={use: a.b}", "block=1ms"])
def test_unchanged_use_is_no_swap(argument):
    assert with_sets(argument).swapped == frozenset()


# ---- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "code", "fix"),
    [
        ("nodse.f0.use=a.b", "unknown-key", "--set nodes.f0.use=a.b"),
        ("blok=5ms", "unknown-key", "--set block=5ms"),
        ("f0.use=a.b", "unknown-key", "--set nodes.f0.use=a.b"),
        ("f0.floor=60", "unknown-key", "--set nodes.f0.params.floor=60"),
        ("voice=a.pth", "unknown-key", "--set vars.voice=a.pth"),
        ("zzz=1", "unknown-key", "--set nodes.NODE.params.PARAM=1"),
        ("nodes.f9.params.floor=6", "unknown-key", "--set nodes.f0.params.floor=6"),
        ("nodes.f9=null", "unknown-key", "--set nodes.f0=null"),
        ("vars.vioce=a", "unknown-var", "--set vars.voice=a"),
        ("vars.q=a", "unknown-var", "vars: {q: null}  in the file, and use it as $q"),
        ("block.x=5", "bad-override", "--set block=5"),
        ("nodes.f0.in.audio=input", "bad-override", '--set "nodes.f0.in={audio: input}"'),
        (
            "profiles.deep=null",
            "bad-override",
            "profiles are applied before overrides: use --profile",
        ),
        (
            "extends=rvc",
            "bad-override",
            "extends is applied before overrides: write a file that extends it",
        ),
    ],
)
def test_an_override_that_goes_nowhere_is_refused(argument, code, fix):
    assert refused(argument) == [(code, f"--set {argument.partition('=')[0]}", fix)]


def test_a_new_node_needs_a_mapping():
    ((code, mark, fix),) = refused("nodes.zzzzz.use=a.b")
    assert (code, mark) == ("unknown-key", "--set nodes.zzzzz.use")
    assert fix == '--set "nodes.zzzzz={use: FAMILY.NAME, in: NODE}"  (to add one)'


def test_python_objects_are_not_printed_in_fixes():
    problems = Problems()
    apply_overrides(document(), from_dict({"blok": object()}, problems), problems)
    assert problems.found[0].fix == "block: ..."


def test_several_wrong_overrides_are_told_together():
    found = refused("blok=5", "vars.vioce=a", "block", "nodes.f9.use=a.b")
    assert [mark for _, mark, _ in found] == [
        "--set block",
        "--set blok",
        "--set nodes.f9.use",
        "--set vars.vioce",
    ]


def test_unknown_profile_lists_known_ones():
    problems = Problems()
    assert from_profile(document(), "deap", problems) == []
    (problem,) = problems.found
    assert str(problem) == (
        "--profile deap  the pipeline has no profile deap; it has: deep\n  fix: --profile deep"
    )


def test_wrong_path_in_profile_has_file_mark():
    base = parse_document("block: 1ms\nprofiles: {x: {blok: 5ms}}\n", "p.yaml", FOLDER)
    problems = Problems()
    apply_overrides(base, from_profile(base, "x", problems), problems)
    (problem,) = problems.found
    assert (problem.code, problem.mark) == ("unknown-key", Mark("p.yaml", 2, 16))
    assert problem.fix == "block: 5ms"


# ---- merging ------------------------------------------------------------------------------------

_leaves = st.integers(0, 9) | st.booleans() | st.lists(st.integers(0, 3), max_size=2)


def _level(inner):
    """Values under a and b, mappings under m, so that kinds never conflict between layers."""
    return st.fixed_dictionaries({}, optional={"a": _leaves, "b": _leaves, "m": inner})


_layers = _level(_level(_level(st.just({}))))


def layer(data, name: str) -> Document:
    return from_python(data, Mark(name))


@given(_layers, _layers, _layers)
def test_merging_is_associative_in_values_and_places(one, two, three):
    a, b, c = layer(one, "a"), layer(two, "b"), layer(three, "c")
    left, right = merge(merge(a, b), c), merge(a, merge(b, c))
    assert left.data == right.data
    assert left.source_map.places == right.source_map.places


@given(_layers, _layers)
def test_merged_values_keep_their_places(one, two):
    merged = merge(layer(one, "a"), layer(two, "b"))

    def look(value, path):
        assert path in merged.source_map.places
        if isinstance(value, dict):
            for key, inner in value.items():
                look(inner, (*path, key))
        else:
            upper = two
            for part in path:
                upper = upper.get(part) if isinstance(upper, dict) else None
            above = upper is not None
            assert merged.source_map.value(path).source == ("b" if above else "a")

    look(merged.data, ())
    assert merge(merged, layer({}, "c")).data == merged.data


def test_a_node_name_of_undecodable_bytes_is_a_mistake(tmp_path: Path) -> None:
    path = tmp_path / "p.yaml"
    path.write_text("nodes: {a: {use: dsp.gain, in: input}}\noutput: a\n", encoding="utf-8")
    with pytest.raises(PipelineError, match="is not a dotted path"):
        Pipeline.load(path, set_args=["nodes.\udcff={dsp.gain: dsp.gain, in: input}"])


@pytest.mark.parametrize(
    "keys",
    [
        {"\ud800": "10ms"},
        {"nodes": {"\ud800": {"use": "dsp.gain", "in": "input"}}},
        {"nodes": {"a": {"use": "dsp.gain", "in": "input", "params": {"\ud800": 1}}}},
        {"vars": {"\ud800": 1}},
    ],
)
def test_a_key_of_half_a_character_is_one_mistake(keys: dict) -> None:
    """As JSON can hold it: a recording's pipeline, a swap over HTTP."""
    nodes = {"a": {"use": "dsp.gain", "in": "input"}}
    with pytest.raises(PipelineError) as caught:
        Pipeline.from_data({"block": "10ms", "nodes": nodes, "output": "a", **keys})
    (problem,) = caught.value.problems
    assert "holds half of a surrogate pair, which is no character" in problem.message
