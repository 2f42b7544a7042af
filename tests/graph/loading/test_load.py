"""Loading a pipeline file: every step from its path to a validated pipeline, and every error."""

from fractions import Fraction
from pathlib import Path

import pytest

from voicegraph.graph.errors import Mark, PipelineError
from voicegraph.graph.loading.file_kind import Family
from voicegraph.graph.loading.load import load_mapping, load_pipeline

HEAD = "block: 10ms\noutput: a\n"
NODE = "nodes: {a: {use: x.y, in: input}}\n"


@pytest.fixture(autouse=True)
def _folder(tmp_path, monkeypatch):
    (tmp_path / "shipped").mkdir()
    there = tmp_path / "shipped"
    monkeypatch.setattr(
        Family, "shipped", lambda _: {p.stem: p for p in sorted(there.glob("*.yaml"))}
    )
    monkeypatch.chdir(tmp_path)


def write(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def load(text: str, *sets: str, **options):
    return load_pipeline(write("p.yaml", text), set_args=sets, **options)


def refused(text: str, *sets: str, **options):
    with pytest.raises(PipelineError) as caught:
        load(text, *sets, **options)
    return told(caught.value)


def told(error: PipelineError):
    assert all(problem.fix and problem.message for problem in error.problems)
    return [(problem.code, str(problem.mark), problem.fix) for problem in error.problems]


def text_of(text: str, *sets: str) -> str:
    with pytest.raises(PipelineError) as caught:
        load(text, *sets)
    return str(caught.value)


# ---- sources ------------------------------------------------------------------------------------


def test_a_file_is_loaded_by_its_path():
    loaded = load(HEAD + NODE)
    assert (loaded.name, loaded.path) == ("p", Path("p.yaml"))
    assert loaded.file.block == Fraction(1, 100)
    assert loaded.file.nodes["a"].inputs == "input"
    assert loaded.source_map.value(("nodes", "a", "use")) == Mark("p.yaml", 3, 18)
    assert loaded.swapped == frozenset()
    assert loaded.problems == ()


@pytest.mark.parametrize("source", ["sub/q.yml", "./sub/q.yml", Path("sub/q.yml")])
def test_which_sources_are_paths(source):
    write("sub/q.yml", HEAD + NODE)
    assert load_pipeline(source).name == "q"


def test_a_shipped_pipeline_is_loaded_by_its_name():
    write("shipped/world.yaml", HEAD + NODE)
    loaded = load_pipeline("world")
    assert loaded.name == "world"
    assert str(loaded.source_map.value(("block",))) == "voicegraph/pipelines/world.yaml:1:8"
    assert loaded.source_map.base(("block",)) == Path("shipped").absolute()


@pytest.mark.parametrize(
    ("name", "fix"),
    [("wrld", "world"), ("mine", "./mine.yaml"), ("zzz", "give a path that ends in .yaml")],
)
def test_unknown_pipeline_lists_known_names(name, fix):
    for known in ("other", "world"):
        write(f"shipped/{known}.yaml", HEAD + NODE)
    write("mine.yaml", HEAD + NODE)
    with pytest.raises(PipelineError, match="there are: ") as caught:
        load_pipeline(name)
    assert told(caught.value) == [("unknown-pipeline", "None", fix)]
    if name == "wrld":
        assert "there are: world, other" in str(caught.value)


def test_missing_file_suggests_shipped_name():
    write("shipped/world.yaml", HEAD + NODE)
    with pytest.raises(PipelineError, match=r"nope/world\.yaml|nope\\world\.yaml") as caught:
        load_pipeline(Path("nope/world.yaml"))
    assert told(caught.value) == [("no-such-file", "None", "world")]


def test_a_pipeline_in_python(tmp_path):
    data = {
        "block": Fraction(1, 50),
        "assets": {"hubert": Path("h.pt")},
        "nodes": {"a": {"use": "x.y", "in": "input", "params": {"db": -6}}},
        "output": "a",
    }
    loaded = load_mapping(data, {"nodes.a.params.db": -3}, name="mine")
    assert (loaded.name, loaded.path) == ("mine", None)
    assert loaded.file.nodes["a"].params == {"db": -3}
    assert loaded.file.assets == {"hubert": str(tmp_path / "h.pt")}
    assert str(loaded.source_map.value(("nodes", "a"))) == "mine"
    assert (
        str(loaded.source_map.value(("nodes", "a", "params", "db"))) == "override nodes.a.params.db"
    )
    assert data["nodes"]["a"]["params"] == {"db": -6}  # pyright: ignore[reportArgumentType, reportIndexIssue, reportCallIssue]


def test_mistakes_in_python_carry_the_name():
    with pytest.raises(PipelineError) as caught:
        load_mapping({"block": "10ms", "nodes": {"a": {"use": "x.y", "db": 1}}, "output": "a"})
    assert told(caught.value) == [("unknown-key", "pipeline", "nodes.a.params.db: 1")]
    with pytest.raises(PipelineError, match="a pipeline is a mapping"):
        load_mapping([])  # pyright: ignore[reportArgumentType]


# ---- extends ------------------------------------------------------------------------------------


def test_a_file_builds_on_another(tmp_path):
    write(
        "base/base.yaml",
        "block: 10ms\nassets: {m: m.pt, n: n.pt}\noutput: b\n"
        "nodes:\n  a: {use: x.y, in: input, params: {p: 1, q: [1, 2]}}\n  b: {use: x.z, in: a}\n",
    )
    loaded = load(
        "extends: base/base.yaml\nassets: {n: n.pt}\noutput: a\n"
        "nodes: {a: {params: {q: [3]}}, b: null}\n"
    )
    assert loaded.file.extends is None
    assert loaded.file.output == "a"
    assert list(loaded.file.nodes) == ["a"]
    assert loaded.file.nodes["a"].params == {"p": 1, "q": [3]}
    assert loaded.file.assets == {
        "m": str(tmp_path / "base" / "m.pt"),
        "n": str(tmp_path / "n.pt"),
    }
    shown = str(Path("base/base.yaml"))
    assert loaded.source_map.value(("nodes", "a", "params", "p")) == Mark(shown, 5, 40)
    assert loaded.source_map.value(("nodes", "a", "params", "q", 0)) == Mark("p.yaml", 4, 26)
    assert loaded.source_map.base(("nodes", "a", "params", "p")) == tmp_path / "base"
    assert loaded.source_map.base(("nodes", "a", "params", "q")) == tmp_path


def test_extends_counts_from_the_file_it_stands_in():
    write("one/base.yaml", HEAD + NODE)
    write("two/middle.yaml", "extends: ../one/base.yaml\nseed: 1\n")
    write("shipped/top.yaml", "extends: ../two/middle.yaml\nthreads: 2\n")
    file = load("extends: top\ndescription: text\n").file
    assert (file.seed, file.threads, file.description, file.output) == (1, 2, "text", "a")


def test_a_python_pipeline_extends_too(tmp_path):
    write("shipped/top.yaml", HEAD + NODE + "assets: {m: m.pt}\n")
    loaded = load_mapping({"extends": "top", "assets": {"n": "n.pt"}})
    assert loaded.file.assets == {"m": str(tmp_path / "shipped/m.pt"), "n": str(tmp_path / "n.pt")}


def test_extending_file_can_change_use():
    write("base.yaml", HEAD + "nodes: {a: {use: x.y, in: input, params: {p: 1}}}\n")
    loaded = load("extends: base.yaml\nnodes: {a: {use: x.z, params: {r: 2}}}\n")
    assert loaded.swapped == {"a"}
    assert not loaded.source_map.is_override(("nodes", "a", "params", "p"))
    assert loaded.source_map.is_override(("nodes", "a", "params", "r"))
    again = load("extends: base.yaml\nnodes: {a: {use: x.z, params: {r: 2}}}\n", "nodes.a.use=x.w")
    assert not again.source_map.is_override(("nodes", "a", "params", "r"))


def test_extends_cycle_is_shown_completely():
    write("b.yaml", "extends: ./c.yaml\n")
    write("c.yaml", "block: 10ms\nextends: p.yaml\n")
    assert text_of("extends: b.yaml\n") == (
        "c.yaml:2:10  a pipeline cannot extend itself: p.yaml occurs again\n"
        "    p.yaml extends b.yaml   (p.yaml:1:10)\n"
        "    b.yaml extends c.yaml   (b.yaml:1:10)\n"
        "    c.yaml extends p.yaml   (c.yaml:2:10)\n"
        "  fix: remove `extends: p.yaml` here"
    )
    assert refused("extends: p.yaml\n") == [
        ("recursive-extends", "p.yaml:1:10", "remove `extends: p.yaml` here")
    ]


@pytest.mark.parametrize(
    ("written", "code", "fix"),
    [
        ("bse.yaml", "no-such-file", "extends: base.yaml"),
        ("sub/bse.yaml", "no-such-file", "extends: sub/base.yaml"),
        ("zzzzz.yaml", "no-such-file", "check the path"),
        ("wrld", "unknown-pipeline", "extends: world"),
        ("5", "wrong-type", "extends: base.yaml"),
        ("''", "wrong-type", "extends: base.yaml"),
    ],
)
def test_extended_file_must_exist(written, code, fix):
    write("shipped/world.yaml", HEAD + NODE)
    write("base.yaml", HEAD)
    write("sub/base.yaml", HEAD)
    assert refused(f"extends: {written}\n") == [(code, "p.yaml:1:10", fix)]


def test_missing_extended_file_shows_the_chain():
    write("b.yaml", "extends: none.yaml\n")
    text = text_of("extends: b.yaml\n")
    assert text.startswith("b.yaml:1:10  none.yaml does not exist\n")
    assert "    p.yaml extends b.yaml   (p.yaml:1:10)\n" in text


def test_mistake_is_placed_in_extended_file():
    write("base.yaml", HEAD + NODE + "seed: -1\n")
    assert refused("extends: base.yaml\nthreads: 0\n") == [
        ("out-of-range", "base.yaml:4:7", "seed: 0"),
        ("out-of-range", "p.yaml:2:10", "threads: 1"),
    ]


# ---- profiles and overrides ---------------------------------------------------------------------


def test_profiles_then_python_then_command_line():
    text = HEAD + NODE + "profiles: {one: {seed: 1, threads: 1}, two: {seed: 2}}\n"
    assert load(text).file.seed == 0
    assert load(text, profiles=["two", "one"]).file.seed == 1
    assert load(text, profiles=["one", "two"]).file.seed == 2
    assert load(text, profiles=["one"], overrides={"seed": 3}).file.seed == 3
    assert load(text, "seed=4", profiles=["one"], overrides={"seed": 3}).file.seed == 4


def test_an_unknown_profile():
    assert refused(HEAD + NODE + "profiles: {fast: {}}\n", profiles=["fats"]) == [
        ("unknown-profile", "--profile fats", "--profile fast")
    ]
    assert refused(HEAD + NODE, profiles=["fast"]) == [
        ("unknown-profile", "--profile fast", "remove --profile fast")
    ]


def test_wrong_override_value_is_placed_there():
    assert refused(HEAD + NODE, "block=5", "nodes.a.devize=cpu", "nodes.a.in=5") == [
        ("wrong-value", "--set block", "--set block=10ms"),
        ("unknown-key", "--set nodes.a.devize", "--set nodes.a.device=cpu"),
        ("wrong-type", "--set nodes.a.in", "--set nodes.a.in=to16k"),
    ]


# ---- vars ---------------------------------------------------------------------------------------

VARS = """\
block: 10ms
vars: {v: 0.5, n: null, t: true, s: voices, w: required}
nodes: {a: {use: x.y, in: input, params: {p: %s}}}
output: a
"""
P = ("nodes", "a", "params", "p")


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("$v", 0.5),
        ("'${v}'", 0.5),
        ("$n", None),
        ("$t", True),
        ("'${s}/a.pth'", "voices/a.pth"),
        ("'${s}-${v}-${t}'", "voices-0.5-true"),
        ("$$v", "$v"),
        ("a$$", "a$"),
        ("'$$${s}'", "$voices"),
        ("[$v, {q: $t}]", [0.5, {"q": True}]),
    ],
)
def test_vars_are_put_where_they_are_used(written, value):
    loaded = load(VARS % written)
    found = loaded.file.nodes["a"].params["p"]
    assert found == value
    assert type(found) is type(value)
    assert loaded.file.vars["w"] == "required"  # and nobody asked for it


def test_vars_go_everywhere_but_into_keys_and_profiles():
    loaded = load(
        "description: costs $5\nblock: $b\nvars: {b: 5ms, d: null, m: m.pt}\nassets: {m: $m}\n"
        "nodes: {a: {use: x.y, in: input, enabled: $d, params: {$b: 1}}}\noutput: a\n"
        "profiles: {q: {block: $nothing}}\n"
    )
    assert loaded.file.block == Fraction(1, 200)
    assert loaded.file.description == "costs $5"
    assert loaded.file.nodes["a"].enabled is None
    assert loaded.file.nodes["a"].params == {"$b": 1}
    assert loaded.file.profiles == {"q": {"block": "$nothing"}}
    assert loaded.file.assets == {"m": str(Path("m.pt").absolute())}


def test_var_keeps_place_and_base_directory(tmp_path):
    write("base/base.yaml", VARS % "$w")
    loaded = load_pipeline("base/base.yaml", set_args=["vars.w=a.pth"])
    assert loaded.source_map.value(P) == Mark(str(Path("base/base.yaml")), 3, 46)
    assert loaded.source_map.base(P) == tmp_path
    assert str(loaded.source_map.origin(P)) == "--set vars.w"
    assert loaded.source_map.origin(("nodes", "a", "use")) is None
    child = load("extends: base/base.yaml\nvars: {w: b.pth}\n")
    assert child.source_map.base(P) == tmp_path
    assert child.source_map.origin(P) == Mark("p.yaml", 2, 11)


@pytest.mark.parametrize(("written", "beside"), [("${w}/a.pth", "."), ("a/${w}.pth", "base")])
def test_text_with_a_var_counts_from_where_it_begins(written, beside, tmp_path):
    write("base/base.yaml", VARS % f"'{written}'")
    loaded = load_pipeline("base/base.yaml", set_args=["vars.w=x"])
    assert loaded.source_map.base(P) == tmp_path / beside
    assert str(loaded.source_map.origin(P)) == "--set vars.w"


@pytest.mark.parametrize(
    ("written", "code", "place", "fix"),
    [
        ("$vv", "unknown-var", "3:46", "nodes.a.params.p: $v"),
        ("$zzz", "unknown-var", "3:46", "vars: {zzz: ...}  (or $$ for a dollar sign)"),
        ("$w", "unset-var", "2:48", "--set vars.w=..."),
        ("'x${w}'", "unset-var", "2:48", "--set vars.w=..."),
        ("'$s/a.pth'", "bad-var", "3:46", "${s} for the var, $$ for a dollar sign"),
        ("5$", "bad-var", "3:46", "$$ for a dollar sign"),
        ("'${s'", "bad-var", "3:46", "$$ for a dollar sign"),
        ("'a${n}'", "null-in-text", "3:46", "--set vars.n=..."),
    ],
)
def test_a_var_that_has_no_value(written, code, place, fix):
    assert refused(VARS % written) == [(code, f"p.yaml:{place}", fix)]


def test_missing_var_used_twice_is_one_problem():
    assert text_of(VARS % "[$w, $w]") == (
        "p.yaml:2:48  the var w is required, but was not given\n"
        "    nodes.a.params.p.0: $w   (p.yaml:3:47)\n"
        "    nodes.a.params.p.1: $w   (p.yaml:3:51)\n"
        "  fix: --set vars.w=..."
    )


def test_a_var_may_not_refer_to_a_var():
    text = HEAD + "vars: {a: 1, b: $a}\n" + NODE
    assert refused(text) == [
        ("var-in-var", "p.yaml:3:17", "vars.b: '$$a'  (if it is a dollar sign)")
    ]
    loaded = load(text.replace("$a", "$$a") + "description: x\n".replace("x", "y"))
    assert loaded.file.nodes["a"].use == "x.y"


def test_wrong_var_value_names_both_places():
    text = "block: $b\nvars: {b: 5}\noutput: a\n" + NODE
    assert text_of(text) == (
        "p.yaml:1:8  block: a duration needs a unit: write 5ms or 5s\n"
        "    the value comes from a var   (p.yaml:2:11)\n"
        "  fix: vars.b: 10ms"
    )
    assert refused(text, "vars.b=7") == [("wrong-value", "p.yaml:1:8", "--set vars.b=10ms")]


def test_missing_var_is_reported_once():
    text = "block: $b\nvars: {b: required}\noutput: $z\nseed: -1\n" + NODE
    assert [code for code, _, _ in refused(text)] == ["unset-var", "unknown-var", "out-of-range"]


def test_vars_that_are_no_mapping_are_one_mistake():
    assert [code for code, _, _ in refused(HEAD + NODE.replace("input", "$v") + "vars: 5\n")] == [
        "unknown-var",
        "wrong-type",
    ]


# ---- assets -------------------------------------------------------------------------------------


def test_required_asset_must_be_given(tmp_path):
    text = HEAD + NODE + "assets: {hubert: required, rmvpe: null}\n"
    assert refused(text) == [("unset-asset", "p.yaml:4:18", "--set assets.hubert=PATH")]
    assert load(text, "assets.hubert=null").file.assets == {"hubert": None, "rmvpe": None}
    given = load(text, "assets.hubert=sub/h.pt").file.assets["hubert"]
    assert given == str(tmp_path / "sub" / "h.pt")


def test_vars_and_assets_are_missed_together():
    text = (VARS % "$w") + "assets: {hubert: required}\n"
    assert [code for code, _, _ in refused(text)] == ["unset-var", "unset-asset"]


# ---- validation ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "code", "place", "fix"),
    [
        ("bloc: 5ms", "unknown-key", "4:1", "block: 5ms"),
        ("zzz: 5", "unknown-key", "4:1", "remove zzz"),
        ("version: 2", "wrong-value", "4:10", "version: 1"),
        ("description: 5", "wrong-type", "4:14", "description: text"),
        ("seed: x", "wrong-type", "4:7", "seed: 0"),
        ("seed: -1", "out-of-range", "4:7", "seed: 0"),
        ("threads: 0", "out-of-range", "4:10", "threads: 1"),
        ("on_nan: eror", "wrong-value", "4:9", "on_nan: error"),
        ("on_late: silent", "wrong-value", "4:10", "on_late: silence"),
        ("input: 5", "wrong-type", "4:8", "input: {rate: 48000, channels: 1}"),
        ("input: {raet: 5}", "unknown-key", "4:9", "input.rate: 5"),
        ("input: {rate: 0}", "wrong-value", "4:15", "input.rate: 48000"),
        ("input: {channels: 99}", "out-of-range", "4:19", "input.channels: 64"),
        ("vars: {a: [1]}", "wrong-value", "4:11", "vars.a: 1"),
        ("vars: {A: 1}", "bad-name", "4:8", "vars.a"),
        ("assets: {a: 5}", "wrong-type", "4:13", "assets.a: '5'"),
        ("assets: {a: ''}", "out-of-range", "4:13", "assets.a: hubert.pt"),
        ("profiles: {a: 5}", "wrong-type", "4:15", "profiles.a: {block: 5ms}"),
    ],
)
def test_each_mistake_in_a_file_is_told_once(line, code, place, fix):
    assert refused(HEAD + NODE + line + "\n") == [(code, f"p.yaml:{place}", fix)]


@pytest.mark.parametrize(
    ("node", "code", "place", "fix"),
    [
        ("", "wrong-type", "3:11", "nodes.a: {use: dsp.gain, in: input}"),
        ("5", "wrong-type", "3:12", "nodes.a: {use: dsp.gain, in: input}"),
        ("{in: b}", "missing-key", "3:9", "nodes.a.use: f0.harvest"),
        ("{use: harvest}", "wrong-value", "3:18", "nodes.a.use: f0.harvest"),
        ("{use: x.y, flor: 5}", "unknown-key", "3:23", "nodes.a.params.flor: 5"),
        ("{use: x.y, parms: {}}", "unknown-key", "3:23", "nodes.a.params=..."),
        ("{use: x.y, in: 5}", "wrong-type", "3:27", "nodes.a.in: to16k"),
        ("{use: x.y, in: b c}", "wrong-value", "3:27", "nodes.a.in: to16k"),
        ("{use: x.y, in: {a: 5}}", "wrong-type", "3:31", "nodes.a.in.a: input"),
        ("{use: x.y, in: {A: b}}", "bad-name", "3:28", "nodes.a.in.a"),
        ("{use: x.y, enabled: no}", "wrong-value", "3:32", "nodes.a.enabled: false"),
        ("{use: x.y, enabled: [1]}", "wrong-value", "3:32", "nodes.a.enabled: false"),
        ("{use: x.y, device: gpu}", "wrong-value", "3:31", "nodes.a.device: cpu"),
        ("{use: x.y, device: 'cuda:x'}", "wrong-value", "3:31", "nodes.a.device: cuda:1"),
        ("{use: x.y, fallback: gpu}", "wrong-value", "3:33", "nodes.a.fallback: cpu"),
        ("{use: x.y, dtype: float64}", "wrong-value", "3:30", "nodes.a.dtype: float32"),
        ("{use: x.y, params: [1]}", "wrong-type", "3:31", "nodes.a.params: {rate: 16000}"),
    ],
)
def test_each_mistake_in_a_node_is_told_once(node, code, place, fix):
    text = HEAD + f"nodes: {{a: {node}}}\n"
    if fix.endswith("=..."):
        fix = fix.replace("=", ": ")
    assert refused(text) == [(code, f"p.yaml:{place}", fix)]


def test_missing_key_shows_an_example():
    assert refused("seed: 0\n") == [
        ("missing-key", "p.yaml:1:1", "block: 10ms"),
        (
            "missing-key",
            "p.yaml:1:1",
            "nodes: {quieter: {use: dsp.gain, in: input, params: {db: -6}}}",
        ),
        ("missing-key", "p.yaml:1:1", "output: quieter"),
    ]


def test_a_name_that_is_taken_or_wrong():
    assert refused(HEAD + "nodes: {input: {use: x.y}, F0: {use: x.y}}\n") == [
        ("bad-name", "p.yaml:3:9", "nodes.my_input"),
        ("bad-name", "p.yaml:3:28", "nodes.f0"),
    ]


def test_wording_of_messages():
    assert text_of(HEAD + "nodes: {a: {use: x.y, dtype: float64}}\nbloc: 5ms\n") == (
        "p.yaml:3:30  nodes.a.dtype is 'float64', "
        "expected auto, float32, float16, bfloat16 or int8\n"
        "  fix: nodes.a.dtype: float32\n"
        "p.yaml:4:1  the pipeline has no key `bloc`; it has: version, description, extends, block, "
        "vars, assets, input, nodes, output, profiles, seed, threads, on_nan, on_late\n"
        "  fix: block: 5ms"
    )
    assert text_of(HEAD + "nodes: {a: null}\n") == (
        "p.yaml:3:12  nodes.a is null, expected a mapping\n"
        "    null removes a node of the extended pipeline, but it has no a\n"
        "  fix: nodes.a: {use: dsp.gain, in: input}"
    )
    assert text_of("block: -10ms\noutput: a\n" + NODE) == (
        "p.yaml:1:8  block is -10ms, expected more than 0s\n  fix: block: 10ms"
    )


# ---- going on -----------------------------------------------------------------------------------


def test_partial_load_keeps_usable_parts():
    text = HEAD + "nodes: {a: {use: x.y, in: input, device: gpu}}\nseed: x\nfoo: 1\n"
    loaded = load(text, keep_going=True)
    assert sorted(str(problem.mark) for problem in loaded.problems) == [
        "p.yaml:3:42",
        "p.yaml:4:7",
        "p.yaml:5:1",
    ]
    assert (loaded.file.seed, loaded.file.nodes["a"].device) == (0, "cpu")


def test_wrong_node_is_listed_as_broken():
    text = HEAD + "nodes: {a: {use: x.y, paramz: 1}, b: {use: x.y, in: a}}\n"
    loaded = load(text, keep_going=True)
    assert (loaded.broken, set(loaded.file.nodes), loaded.types_known) == ({"a"}, {"b"}, True)


@pytest.mark.parametrize("line", ["inptu: {}", "input: {rate: 0}", "input: {channls: 1}"])
def test_types_are_not_checked_without_input_type(line):
    loaded = load(HEAD + NODE + line + "\n", keep_going=True)
    assert loaded.problems
    assert not loaded.types_known


@pytest.mark.parametrize("line", ["vars: {a: $b}", "assets: {h: required}"])
def test_missing_values_are_a_mistake_among_others(line):
    with pytest.raises(PipelineError):
        load(HEAD + NODE + line + "\n")
    loaded = load(HEAD + NODE + line + "\n", keep_going=True)
    assert len(loaded.problems) == 1
    assert loaded.unknown_assets == ({"h"} if "assets" in line else set())


def test_value_of_an_unset_var_is_not_known():
    text = "block: $step\nvars: {step: required, a: required}\noutput: b\n"
    text += "nodes: {a: {use: x.y, params: {p: $a}}, b: {use: x.y, in: a}}\n"
    loaded = load(text, keep_going=True)
    assert (loaded.broken, set(loaded.file.nodes), loaded.types_known) == ({"a"}, {"b"}, False)
