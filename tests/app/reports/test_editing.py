"""What an editor offers in a pipeline file, asked of yaml-language-server itself.

    npm install --prefix DIRECTORY yaml-language-server
    VOICEGRAPH_LANGUAGE_SERVER=DIRECTORY/node_modules/.bin/yaml-language-server \
        python -m pytest tests/app/reports/test_editing.py
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest

from voicegraph.app.reports.editor_schema import builtin, text
from voicegraph.graph.loading.sources import shipped

from .language_server import LanguageServer

SERVER = os.environ.get("VOICEGRAPH_LANGUAGE_SERVER") or shutil.which("yaml-language-server")
HEAD = "block: 10ms\nnodes:\n"
END = "\noutput: a\n"

pytestmark = pytest.mark.skipif(SERVER is None, reason="yaml-language-server is not installed")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LanguageServer]:
    folder = tmp_path_factory.mktemp("pipelines")
    schema = folder / "pipeline.schema.json"
    schema.write_text(text(builtin()), encoding="utf-8")
    assert SERVER is not None
    with LanguageServer([SERVER], schema, folder) as running:
        yield running


def offered(server: LanguageServer, node: str) -> set[str]:
    return set(server.complete(HEAD + node + END))


@pytest.mark.parametrize(
    ("node", "words"),
    [
        ("  a: {use: |}", {"dsp.gate", "f0.harvest"}),
        ("  a: {use: dsp.g|, in: input}", {"dsp.gate"}),
        # The server offers keys of a flow mapping once a letter is typed.
        ("  a: {u|}", {"use", "in", "params"}),
        ("  a: {use: dsp.gate, p|}", {"in", "params", "enabled"}),
        ("  a: {use: dsp.gate, in: input, params: {t|}}", {"threshold", "hold", "mode"}),
        ("  a: {use: dsp.gate, params: {hold: 1ms, t|}}", {"threshold", "mode"}),
        ("  a: {use: dsp.gate, params: {mode: |}}", {"smooth", "hard"}),
        ("  a: {use: world.analyze, in: {p|}}", {"audio", "pitch"}),
        ("  a:\n    use: dsp.gate\n    |", {"in", "params", "enabled"}),
        ("  a:\n    use: dsp.gate\n    params:\n      |", {"threshold", "hold"}),
        ("  a:\n    use: world.analyze\n    in:\n      |", {"audio", "pitch"}),
    ],
)
def test_keys_and_values_are_offered(server: LanguageServer, node: str, words: set[str]) -> None:
    found = offered(server, node)
    assert words <= found
    assert not any("object" in label for label in found)


def test_params_of_other_nodes_are_not_offered(server: LanguageServer) -> None:
    assert "floor" not in offered(server, "  a: {use: dsp.gate, params: {f|}}")
    assert "floor" in offered(server, "  a: {use: f0.harvest, params: {f|}}")


def test_every_shipped_pipeline_is_offered(server: LanguageServer) -> None:
    assert shipped().keys() <= server.complete("extends: |\n").keys()


@pytest.mark.parametrize(
    ("node", "word"),
    [
        ("  a: {use: dsp.gaet, in: input}", "dsp.gate"),
        ("  a: {use: gate, in: input}", "dsp.gate"),
        ("  a: {use: dsp.gate, in: {audoi: input}}", "audio"),
        ("  a: {use: dsp.gate, in: 5}", "Incorrect type"),
        ("  a: {use: dsp.gate, in: a.b.c}", "pattern"),
        ("  a: {use: io.noise, in: input}", "null"),
        ("  a: {use: dsp.gate, in: input, params: {hold: 10}}", "Incorrect type"),
        ("  a: {use: dsp.gate, in: input, params: {holdd: 10ms}}", "holdd"),
        ("  a: {use: dsp.resample, in: input}", "params"),
        ("  a: {uze: dsp.gate, in: input}", "uze"),
    ],
)
def test_mistakes_are_marked(server: LanguageServer, node: str, word: str) -> None:
    assert any(word in message for message in server.diagnose(HEAD + node + END))


@pytest.mark.parametrize("name", shipped())
def test_shipped_pipelines_are_not_marked(server: LanguageServer, name: str) -> None:
    lines = shipped()[name].read_text(encoding="utf-8").splitlines(keepends=True)
    assert server.diagnose("".join(lines[1:])) == []  # the first line names the schema


@pytest.mark.parametrize("use", ["dsp.gate", "world.analyze", "dsp.resample"])
def test_hover_shows_the_node_itself(server: LanguageServer, use: str) -> None:
    """Not one example for all nodes."""
    at_name = server.hover(HEAD + f"  a|: {{use: {use}, in: input}}" + END)
    at_use = server.hover(HEAD + f"  a: {{use: {use[:5]}|{use[5:]}, in: input}}" + END)
    for shown in (at_name, at_use):
        assert f"use: {use}" in shown.replace("\\", "")
        assert "f0.harvest" not in shown
