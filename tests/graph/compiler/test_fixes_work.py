"""Every fix is applied: the problem that offered it is gone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from voicegraph.graph.errors import PipelineError, Problem, VoicegraphError
from voicegraph.graph.loading.document import parse_document
from voicegraph.graph.pipeline import Pipeline

from .test_one_mistake import BASE, CASES

LINE = re.compile(r"(?:and write  )?([a-z][\w.]*): (.+?)(?:   \(or .*)?")
ADDED = re.compile(r"add to nodes:  (\w+): (\{.*\})")
PLACEHOLDER = re.compile(
    r"VALUE|PATH|\.\.\.|\(to add one\)|\(or \$\$|\(if it is|voicegraph nodes|a node that gives|"
    r"^remove |^name |^write |^a var is|^put |^separate |for the var|dollar sign|^indent|^pip |"
    r"a (?:whole )?number\)| or |^check |^feed |^nodes\.\w+: \{use"
)
"""Fixes that say in words what to do, or leave the value open."""


def problem_of(text: str) -> Problem | None:
    try:
        data = parse_document(text, "p.yaml", Path()).data
        compiled(data)
    except VoicegraphError as error:
        return error.problems[0]
    return None


def compiled(data: dict[str, Any]) -> None:
    Pipeline(**data).compile()


def put(data: Any, path: list[str], value: Any) -> None:
    for part in path[:-1]:
        if not isinstance(data.get(part), dict):
            # `in: rumble` names the first input, which `in.audio: ...` replaces.
            data[part] = {}
        data = data[part]
    data[path[-1]] = value


def apply(text: str, problem: Problem) -> dict[str, Any]:
    """The file's values with the fix; a key or name that the fix replaces is removed."""
    data = yaml.safe_load(text)
    if problem.code in ("unknown-key", "bad-name", "unknown-port") and problem.mark:
        wrong = re.search(r"(?:`|')(\w+)(?:`|')", problem.message)
        if wrong and f"{wrong[1]}:" in text:
            drop(data, wrong[1])
    assert problem.fix
    for line in problem.fix.splitlines():
        if found := ADDED.fullmatch(line):
            data["nodes"][found[1]] = yaml.safe_load(found[2])
        elif found := LINE.fullmatch(line):
            put(data, found[1].split("."), yaml.safe_load(found[2]))
        else:
            pytest.fail(f"a fix of another form: {line}")
    return data


def drop(data: Any, key: str) -> None:
    if isinstance(data, dict):
        data.pop(key, None)
        for value in data.values():
            drop(value, key)


@pytest.mark.parametrize(
    ("old", "new"), [case[2:] for case in CASES], ids=[f"{kind}-{i}" for kind, i, *_ in CASES]
)
def test_fix_removes_its_problem(old: str, new: str) -> None:
    text = BASE.replace(old, new)
    problem = problem_of(text)
    assert problem is not None
    assert problem.fix, problem
    if PLACEHOLDER.search(problem.fix) or problem.code in ("yaml-syntax", "bad-name"):
        pytest.skip(problem.fix)
    try:
        compiled(apply(text, problem))
    except PipelineError as error:
        left = [(p.code, p.message) for p in error.problems]
        assert (problem.code, problem.message) not in left, problem.fix
        # Quotes make a file name of a number; that there is no such file is another mistake.
        # And a var that held a list now holds its first entry, which need not fit.
        open_ = left[0][0] == "no-such-file" or problem.fix.startswith("vars.")
        assert open_, f"{problem}\n{left}"
