"""What YAML's grammar refuses is explained by what the user wrote, with a fix that works."""

from __future__ import annotations

import ast
import inspect
import os
import shlex
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from yaml import composer, parser, scanner

from voicegraph.graph.errors import Mark, PipelineError, Problem
from voicegraph.graph.loading import _quoting
from voicegraph.graph.loading._syntax_errors import KINDS, kind_of
from voicegraph.graph.loading.document import parse_document, parse_value, read_document
from voicegraph.graph.loading.overrides import parse_set

HERE = Path(__file__).parent
GRAMMAR = (
    "<block",
    "<document",
    "<stream",
    "<scalar",
    "token",
    "URI",
    "scalar",
    "node content",
    "start any",
    "stream",
)
"""Words of PyYAML's grammar, which mean nothing to whoever writes a pipeline."""


def refused(text: str) -> tuple[Problem, ...]:
    with pytest.raises(PipelineError) as caught:
        parse_document(text, "p.yaml", HERE)
    return caught.value.problems


# Every place of PyYAML that raises, with an input that gets there.
REACHED = {
    'a: "C:\\Users\\me\\alice.pth"': "backslash",
    'a: "\\q"': "backslash",
    'a: "\\UFFFFFFFF"': "backslash",
    "a:\n\tb: 1": "tab",
    "a: @x": "@",
    "a: `x`": "@",
    "a: %x": "@",
    "b: 1\na\nc: 2": "without a value",
    "a\nb: 1": "continues",
    "a: 1\n  b: 2": "continues",
    "block:10ms\nnodes: {}": "needs a space",
    "- a\nb: 1": "indentation",
    "a:\n  b: 1\n c: 2": "indentation",
    "a: - b": "list",
    "a: ? b": "key",
    "a: b: c": "second `: `",
    "%YAML x\n---\na: 1": "directive",
    "%YAML 1x\n---\na: 1": "directive",
    "%YAML 1.x\n---\na: 1": "directive",
    "%YAML 1.1x\n---\na: 1": "directive",
    f"%YAML {'9' * 5000}.1\n---\na: 1": "directive",
    "%YAML 2.0\n---\na: 1": "directive",
    "%YAML 1.1\n%YAML 1.1\n---\na: 1": "directive",
    "%TAG x y\n---\na: 1": "directive",
    "%TAG !x! \n---\na: 1": "directive",
    "%TAG !x!y z\n---\na: 1": "directive",
    "%TAG !x! a\n%TAG !x! a\n---\na: 1": "directive",
    "%? x\n---\na: 1": "directive",
    "%x?\n---\na: 1": "directive",
    "%YAML 1.1 x\n---\na: 1": "directive",
    "a: *": "alias",
    "a: *b.c": "alias",
    "a: *b": "alias",
    "a: &": "anchor",
    "a: &b.c": "anchor",
    "a: &b": "anchor",
    "a: &x 1\nb: &x 2": "same anchor",
    "a: !<x": "tag",
    "a: !x{": "tag",
    "a: !e!x": "tag",
    "a: !e%zz": "tag",
    "a: !e%ff": "tag",
    "%TAG": "directive",
    "a: !Bob.pth": "tag",
    "a: |x": "several lines",
    "a: > x": "several lines",
    "a: |0": "several lines",
    "a: |+0": "several lines",
    'a: "x': "quote",
    "a: 'x\n---\n": "quote",
    "a: 1\n---\nb: 2": "second document",
    "a: [1": "bracket",
    "a: {b: 1": "bracket",
    "a: {b: ${c}}": "middle of a text",
    "a: [1, 2}": "commas",
    "a: {b: [1}": "commas",
    "a: [,]": "missing",
    "a: ]": "missing",
    "a: [RVC] Bob.pth": "ends before",
    "a: 'don't.pth'": "ends before",
    "[RVC] Bob.pth": "ends before",
    "a: \x07": "U+0007",
    "a: \ud800": "surrogate",
    'a: "\\ud800"': "surrogate",
    'a: "C:\\new\\table"': "control character",
    'a: "\\x1b[2J"': "control character",
}


@pytest.mark.parametrize(("text", "word"), REACHED.items(), ids=range(len(REACHED)))
def test_mistake_is_named_without_words_of_the_grammar(text: str, word: str) -> None:
    problem = refused(text)[0]
    assert word in problem.message
    assert problem.fix
    assert not any(said in str(problem) for said in GRAMMAR)


_SCANNED = {
    "while scanning an %s": ["anchor", "alias"],
    "while scanning a %s": ["tag", "directive"],
    "while parsing a %s": ["tag", "directive"],
    "while parsing a %s node": ["block", "flow"],
}
"""What PyYAML puts into its messages."""


def _raised() -> set[tuple[str, str]]:
    """The problem and context of every error that PyYAML raises, from its source."""
    found = set()
    for module in (scanner, parser, composer):
        for call in ast.walk(ast.parse(inspect.getsource(module))):
            named = isinstance(call, ast.Call) and isinstance(call.func, ast.Name)
            if named and call.func.id in ("ScannerError", "ParserError", "ComposerError"):  # pyright: ignore[reportAttributeAccessIssue]
                context, problem = (_literal(call.args[i]) for i in (0, 2))  # pyright: ignore[reportAttributeAccessIssue]
                names = _SCANNED.get(context, [""])
                found |= {(problem, context.replace("%s", name)) for name in names}
    return found


def _literal(node: ast.expr) -> str:
    return next((n.value for n in ast.walk(node) if isinstance(n, ast.Constant)), None) or ""  # pyright: ignore[reportReturnType]


def test_everything_that_pyyaml_raises_has_words() -> None:
    raised = _raised()
    assert len(raised) > 30
    assert [error for error in raised if kind_of(*error) is None] == []


def test_every_kind_is_reached() -> None:
    reached = set()
    for text in REACHED:
        try:
            yaml.compose(text)
        except yaml.MarkedYAMLError as error:
            reached.add(kind_of(error.problem, error.context))
        except (ValueError, OverflowError, yaml.YAMLError):
            continue
    assert [kind.pattern for kind in KINDS if kind not in reached] == []


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ('voice: "C:\\Users\\me"', "voice: 'C:\\Users\\me'"),
        ('a: {use: "C:\\Users\\it\'s", b: 1}', "a: {use: 'C:\\Users\\it''s', b: 1}"),
        ('a: [1, "\\q"]', "a: [1, '\\q']"),
        ('a:\n  - "\\q"', "- '\\q'"),
        ("a: @x  # an account", "a: '@x'  # an account"),
        ("a: {b: @x, c: 1}", "a: {b: '@x', c: 1}"),
        ("a: take: 2.pth", "a: 'take: 2.pth'"),
        ("a: 'don't.pth'", "a: 'don''t.pth'"),
        ('a: "open', "a: 'open'"),
        ("a: {b: ${c}}", "a: {b: '${c}'}"),
        ("a: [RVC] it's.pth", "a: '[RVC] it''s.pth'"),
        ("a: [RVC.pth", "a: '[RVC.pth'"),
        ("block:10ms\nnodes: {}", "block: 10ms"),
        ("a: {use: dsp.gain in: x}", "a: {use: dsp.gain, in: x}"),
    ],
)
def test_fix_is_the_corrected_line(text: str, fix: str) -> None:
    problem = refused(text)[0]
    assert problem.fix == fix
    yaml.compose(fix)


def test_quotes_are_not_offered_for_a_mapping_that_lacks_a_bracket() -> None:
    problem = refused("nodes: {a: {use: dsp.gain, in: input}")[0]
    assert problem.fix is not None
    assert "'{" not in problem.fix


def test_several_mistakes_are_told_at_their_places() -> None:
    text = 'one: "C:\\Users"\ntwo: {a: @b, c: 1}\nthree: "D:\\xy" \nfour: "\\q'
    assert [str(problem.mark) for problem in refused(text)] == [
        "p.yaml:1:11",
        "p.yaml:2:10",
        "p.yaml:3:13",
        "p.yaml:4:9",
    ]


# ---- overrides ----------------------------------------------------------------------------------

NAMES = [
    "[RVC] Bob.pth",
    "{a} Bob.pth",
    "Alice #2.pth",
    "take: 2.pth",
    "@alice.pth",
    "%alice.pth",
    "`alice`.pth",
    "&alice.pth",
    "&alice",
    "*alice.pth",
    "!alice.pth",
    "|alice.pth",
    "> alice.pth",
    "- alice.pth",
    "? alice.pth",
    '"C:\\Users\\alice.pth"',
    '"C:\\new.pth"',
    "Bob's [x]: 1.pth",
    '"Bob" [x].pth',
    "[it's !1].pth",
    "{$HOME}`x`.pth",
    "a: \\.pth",
]


@pytest.mark.parametrize("name", NAMES)
def test_override_fix_can_be_typed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The fix, split as a POSIX shell splits it, gives the name that was meant."""
    monkeypatch.setattr(os, "name", "posix")
    with pytest.raises(PipelineError) as caught:
        parse_set(f"vars.voice={name}")
    (problem,) = caught.value.problems
    typed = shlex.split(problem.fix[problem.fix.index("--set") :])  # pyright: ignore[reportOptionalSubscript, reportOptionalMemberAccess]
    assert typed[0] == "--set"
    assert parse_set(typed[1]) == ("vars.voice", name.strip('"') if "\\" in name[:4] else name)


def test_override_fix_fits_the_shells_of_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_quoting.os, "name", "nt")
    with pytest.raises(PipelineError) as caught:
        parse_set("vars.voice=[RVC] Bob.pth")
    assert caught.value.problems[0].fix == "--set \"vars.voice='[RVC] Bob.pth'\""


def test_mapping_without_braces_is_meant_where_a_mapping_belongs() -> None:
    with pytest.raises(PipelineError) as caught:
        parse_set("nodes.f0.params=floor: 60")
    assert caught.value.problems[0].fix == '--set "nodes.f0.params={floor: 60}"'


def test_value_without_an_option_has_no_shell_quotes() -> None:
    with pytest.raises(PipelineError) as caught:
        parse_value("[RVC] Bob.pth", Mark("voice"))
    assert caught.value.problems[0].fix in ('voice="[RVC] Bob.pth"', "voice='[RVC] Bob.pth'")


_texts = st.text(
    st.sampled_from(list("ab \n\t:,-?#&*!|>'\"%@`[]{}\\$~0.xuU<=")) | st.characters(), max_size=40
)


@given(_texts)
def test_any_text_is_read_or_refused_with_words(text: str) -> None:
    for read in (lambda: parse_document(text, "p", HERE), lambda: parse_set(f"vars.a={text}")):
        try:
            read()
        except PipelineError as error:
            assert all(problem.fix for problem in error.problems)  # noqa: PT017
            assert not any(said in str(error) for said in ("<block", "token", "<stream"))  # noqa: PT017


# ---- encodings ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("block: 10ms".encode("utf-16"), "UTF-16"),
        ("block: 10ms".encode("utf-16-le"), "UTF-16"),
        ("block: 10ms".encode("utf-16-be"), "UTF-16"),
        ("block: 10ms".encode("utf-32"), "UTF-32"),
        ("block: 10ms\n# é".encode("latin-1"), "it is é"),
        (b"PK\x03\x04\xff\0\0\0", "no text file"),
    ],
)
def test_other_encodings_are_named(raw: bytes, words: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_bytes(raw)
    with pytest.raises(PipelineError, match=words):
        read_document(tmp_path / "p.yaml")


def test_large_wrong_file_is_refused_at_once() -> None:
    """Corrections are tried in short texts only; aliases and nesting are bounded elsewhere."""
    text = "nodes: {}\n" + "a: [1\n" * 100_000
    assert refused(text)[0].code == "yaml-syntax"


@pytest.mark.parametrize("text", ["a={\r: b, in: c}", "a={\x85: b, in: c}", "a={\u2028: b}"])
def test_every_line_break_of_yaml_counts_as_one(text: str) -> None:
    with pytest.raises(PipelineError):
        parse_set(text)
