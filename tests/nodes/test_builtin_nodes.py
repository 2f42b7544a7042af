"""What holds for every built-in node, whatever it does."""

from __future__ import annotations

import ast
import copy
import inspect
import textwrap
from contextlib import suppress
from typing import get_args

import pytest

from voicegraph.graph import PipelineError, registry
from voicegraph.graph.conformance import cases
from voicegraph.nodes import BUILTIN

COMPILE_TIME = ("ports", "infer", "widened", "needs", "gives")


@pytest.mark.parametrize("use", BUILTIN)
def test_ports_leaves_the_node_unchanged(use: str) -> None:
    for case in cases(use):
        node = case.cls()
        before = copy.deepcopy(vars(node))
        with suppress(PipelineError):  # the package of an extra may be missing
            node.ports(node.Params.model_validate(case.resolved_params))
        assert vars(node) == before


@pytest.mark.parametrize("use", BUILTIN)
def test_compile_time_methods_set_no_attributes(use: str) -> None:
    for name in COMPILE_TIME:
        source = textwrap.dedent(inspect.getsource(getattr(registry.find(use), name)))
        stored = [
            node.attr
            for node in ast.walk(ast.parse(source))
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        ]
        assert stored == [], name


@pytest.mark.parametrize("use", BUILTIN)
def test_params_come_from_the_type_argument(use: str) -> None:
    cls = registry.find(use)
    assert cls.Params in get_args(vars(cls)["__orig_bases__"][0])
