"""YAML to plain values with a source map, and refused files."""

import math
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from voicegraph.graph.errors import Mark, PipelineError
from voicegraph.graph.loading._yaml12 import _CoreLoader
from voicegraph.graph.loading.document import (
    Document,
    from_python,
    parse_document,
    parse_value,
    read_document,
)
from voicegraph.graph.loading.source_map import SourceMap

HERE = Path(__file__).parent


def read(text: str) -> Document:
    return parse_document(text, "p.yaml", HERE)


def refused(text: str):
    """The problems of a text as (code, place), every one of them with a fix."""
    with pytest.raises(PipelineError) as caught:
        read(text)
    return places_of(caught.value)


def places_of(error: PipelineError):
    assert all(problem.fix for problem in error.problems)
    return [(problem.code, str(problem.mark)) for problem in error.problems]


# ---- values -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("y", "y"),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("+3", 3),
        ("010", 10),
        ("0o17", 15),
        ("0x1f", 31),
        ("1_000", "1_000"),
        ("1:30", "1:30"),
        ("190:20:30", "190:20:30"),
        ("2024-01-31", "2024-01-31"),
        ("1.5", 1.5),
        (".5", 0.5),
        ("1.", 1.0),
        ("1e3", 1000.0),
        ("1E-3", 0.001),
        ("-1.5e+3", -1500.0),
        (".inf", math.inf),
        ("-.INF", -math.inf),
        ("250ms", "250ms"),
        ("'12'", "12"),
        ('"true"', "true"),
        ("=", "="),
        ("C:\\voices\\a.pth", "C:\\voices\\a.pth"),
    ],
)
def test_plain_scalars_follow_yaml_1_2(text, value):
    found = read(f"a: {text}").data["a"]
    assert found == value
    assert type(found) is type(value)
    if not text.startswith("'"):
        assert parse_value(text, Mark("x")) == value


def test_nan_is_a_number():
    assert math.isnan(read("a: .nan").data["a"])


def _same_in_both_versions(text: str) -> bool:
    """PyYAML writes 1.1: it leaves 0o17 and 1e3 without quotes, which 1.2 reads as numbers."""
    ours = _CoreLoader("", "", None).resolve(yaml.ScalarNode, text, (True, False))  # pyright: ignore[reportArgumentType]
    return not ours.endswith((":int", ":float")) or yaml.safe_load(text) != text


_texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), max_size=12)
_scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False)
    | _texts.filter(_same_in_both_versions)
)
_keys = _texts.filter(lambda key: _same_in_both_versions(key) and key != "<<")
_values = st.recursive(
    _scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_keys, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(_keys, _values, min_size=1, max_size=4))
def test_yaml_output_is_read_back(data):
    text = yaml.safe_dump(data, allow_unicode=True, sort_keys=False)
    assert read(text).data == data


# ---- source map -------------------------------------------------------------------------------

SAMPLE = """\
block: 10ms
nodes:
  f0:
    use: f0.harvest
    params: {floor: 50, bands: [1, 2]}
"""


@pytest.mark.parametrize(
    ("path", "value", "key"),
    [
        ((), (1, 1), (1, 1)),
        (("block",), (1, 8), (1, 1)),
        (("nodes", "f0"), (4, 5), (3, 3)),
        (("nodes", "f0", "use"), (4, 10), (4, 5)),
        (("nodes", "f0", "params", "floor"), (5, 21), (5, 14)),
        (("nodes", "f0", "params", "bands", 1), (5, 36), (5, 36)),
    ],
)
def test_every_value_and_key_has_its_place(path, value, key):
    source_map = read(SAMPLE).source_map
    assert source_map.value(path) == Mark("p.yaml", *value)
    assert source_map.key(path) == Mark("p.yaml", *key)
    assert source_map.base(path) == HERE
    assert source_map.origin(path) is None


def test_unknown_path_has_place_of_its_parent():
    source_map = read(SAMPLE).source_map
    assert source_map.value(("nodes", "f0", "params", "ceiling", "x")) == Mark("p.yaml", 5, 13)
    assert source_map.value(("output",)) == Mark("p.yaml", 1, 1)


def test_alias_and_its_parts_have_own_places():
    document = read("a: &x {b: 1}\nc: *x\n")
    assert document.data == {"a": {"b": 1}, "c": {"b": 1}}
    assert document.source_map.value(("c",)) == Mark("p.yaml", 2, 4)
    assert document.source_map.value(("c", "b")) == Mark("p.yaml", 1, 11)


def test_source_is_the_place_without_marks():
    source_map = SourceMap("built", directory=HERE)
    assert str(source_map.value(("nodes", "a"))) == "built"
    assert source_map.base(("nodes",)) == HERE


def test_python_values_become_plain(monkeypatch, tmp_path):
    np = pytest.importorskip("numpy")
    monkeypatch.chdir(tmp_path)
    given = {"a": (np.int64(3), np.float32(0.5)), "b": Path("x") / "y", "c": {"d": True}}
    document = from_python(given, Mark("built"))
    assert document.data == {"a": [3, 0.5], "b": str(Path("x/y")), "c": {"d": True}}
    assert [type(value) for value in document.data["a"]] == [int, float]
    assert document.source_map.value(("c", "d")) == Mark("built")
    assert document.source_map.base(("c", "d")) == tmp_path


def test_a_file_name_resolves_beside_its_file(monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    source_map = read(SAMPLE).source_map
    assert source_map.resolve(("block",), "../a.pt") == HERE.parent / "a.pt"
    assert source_map.resolve(("block",), str(tmp_path / "a.pt")) == tmp_path / "a.pt"
    assert source_map.resolve(("block",), "~/a.pt") == tmp_path / "a.pt"


# ---- refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "code", "place"),
    [
        ("a: [1, 2}", "yaml-syntax", "1:9"),
        ("a: 1\nb: c: d\n", "yaml-syntax", "2:5"),
        ("a:\n\tb: 1\n", "yaml-syntax", "2:1"),
        ("a:\n  b: 1\n c: 2\n", "yaml-syntax", "3:2"),
        ("a: 'x\n", "yaml-syntax", "1:4"),
        ("a: {b: ${c}}\n", "yaml-syntax", "1:9"),
        ("a: @x\n", "yaml-syntax", "1:4"),
        ("a\nb: 1\n", "yaml-syntax", "2:2"),
        ("a: *x\n", "yaml-syntax", "1:4"),
        ("a: 1\n---\nb: 2\n", "yaml-syntax", "2:1"),
        ("a: 1\nb: \x00\n", "yaml-syntax", "2:4"),
        ("a: 1\nb: {a: 1, a: 2}\n", "duplicate-key", "2:11"),
        ("a: !!python/object/apply:os.system [ls]\n", "yaml-tag", "1:4"),
        ("a: !!str 5\n", "yaml-tag", "1:4"),
        ("a: ! x\n", "yaml-tag", "1:4"),
        ("a: {!x b: 1}\n", "yaml-tag", "1:5"),
        ("1: a\n", "bad-key", "1:1"),
        ("a: {true: 1}\n", "bad-key", "1:5"),
        ("null: a\n", "bad-key", "1:1"),
        ("[a]: b\n", "bad-key", "1:1"),
        ("a: &x {b: 1}\n<<: *x\n", "bad-key", "2:1"),
        ("a: &x [*x]\n", "recursive-alias", "1:8"),
        ("a: &x {b: {c: *x}}\n", "recursive-alias", "1:15"),
        ("- a\n", "not-a-mapping", "1:1"),
        ("text\n", "not-a-mapping", "1:1"),
        ("", "empty-file", "1:1"),
        ("# nothing\n", "empty-file", "1:1"),
        ("---\n", "empty-file", "1:1"),
        ("a: " + "9" * 5000, "bad-number", "1:4"),
        ("a: 1e999", "bad-number", "1:4"),
        ("a: " + "[" * 3000, "yaml-too-deep", "1:43"),
        ("a: [" + "x," * 20000 + "]", "yaml-too-large", "1:39999"),
    ],
)
def test_a_bad_file_is_refused_where_it_is_bad(text, code, place):
    assert refused(text) == [(code, f"p.yaml:{place}")]


def test_aliases_cannot_multiply():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 12)]
    ((code, _),) = refused("\n".join(lines))
    assert code == "yaml-too-large"


def test_aliases_cannot_add_up_their_depth():
    lines = ["a0: &a0 x"] + [f"a{i}: &a{i} [[[[*a{i - 1}]]]]" for i in range(1, 15)]
    ((code, _),) = refused("\n".join(lines))
    assert code == "yaml-too-deep"


def test_several_mistakes_are_told_together():
    assert refused("a: 1\na: 2\nb: !x 1\n2: c\n") == [
        ("duplicate-key", "p.yaml:2:1"),
        ("yaml-tag", "p.yaml:3:4"),
        ("bad-key", "p.yaml:4:1"),
    ]


def test_a_duplicate_names_the_first():
    with pytest.raises(PipelineError) as caught:
        read("a: 1\nb: 2\na: 3\n")
    assert caught.value.problems[0].notes == (("first", Mark("p.yaml", 1, 1)),)


@pytest.mark.parametrize(
    ("raw", "code", "place"),
    [
        ("a: 1\nb: é".encode("latin-1"), "not-utf8", "p.yaml:2:4"),
        ("é: ".encode() + b"\xff", "not-utf8", "p.yaml:1:4"),
        ("a: 1".encode("utf-16"), "not-utf8", "p.yaml:1:1"),
        (b"#" * (1 << 20) + b"\n", "file-too-large", "p.yaml"),
        (b"", "empty-file", "p.yaml:1:1"),
    ],
)
def test_files_that_are_not_yaml_text(raw, code, place, tmp_path):
    (tmp_path / "p.yaml").write_bytes(raw)
    with pytest.raises(PipelineError) as caught:
        read_document(tmp_path / "p.yaml", "p.yaml")
    assert places_of(caught.value) == [(code, place)]


def test_byte_order_mark_is_ignored(tmp_path):
    (tmp_path / "p.yaml").write_bytes(b"\xef\xbb\xbfblock: 1\r\nb: 2\r\n")
    document = read_document(tmp_path / "p.yaml")
    assert document.data == {"block": 1, "b": 2}
    assert document.source_map.value(("b",)) == Mark(str(tmp_path / "p.yaml"), 2, 4)
    assert document.source_map.base(("b",)) == tmp_path


def test_a_missing_file_names_the_nearest(tmp_path):
    for name in ("world.yaml", "other.yml", "notes.txt"):
        (tmp_path / name).write_text("a: 1")
    with pytest.raises(PipelineError) as caught:
        read_document(tmp_path / "wrld.yaml")
    (problem,) = caught.value.problems
    assert problem.code == "no-such-file"
    assert problem.fix == str(tmp_path / "world.yaml")
    assert problem.notes == (("pipeline files there: world.yaml, other.yml", None),)


def test_a_missing_folder_and_a_folder_are_named(tmp_path):
    with pytest.raises(PipelineError, match="nor does the folder"):
        read_document(tmp_path / "none" / "p.yaml")
    (tmp_path / "p.yaml").write_text("a: 1")
    with pytest.raises(PipelineError, match="is a folder") as caught:
        read_document(tmp_path)
    assert caught.value.problems[0].fix == str(tmp_path / "p.yaml")


def test_keys_in_python_must_be_text():
    with pytest.raises(PipelineError, match="a key must be text, found 1"):
        from_python({"a": {1: 2}}, Mark("built"))


def test_recursive_python_values_are_refused():
    data: dict[str, object] = {}
    data["a"] = data
    with pytest.raises(PipelineError, match="nested deeper"):
        from_python(data, Mark("built"))
