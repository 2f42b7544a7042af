"""Of a file that is no pipeline, messages show the place and the kind of mistake, and no text."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.graph.errors import PipelineError
from voicegraph.graph.loading.load import load_mapping, load_pipeline

SECRETS = [
    "root:$6$secret:19000:0:99999:7:::\n",
    "root:x: secret: 5\n",
    "token: secret\n",
    "token: [secret\n",
    'password: "\\secret"\n',
    "a: @secret\n",
    "a: !secret b\n",
    "a: &secret\n",
    "secret: 1\nsecret: 2\n",
    "1secret: 1\n[secret]: 2\n",
    "- secret\n",
    "secret\n",
    '{"aws": "secret"}',
    "version: '3'\nservices: {secret: {}}\n",
    "secret = 1\nkey: : secret\n",
    "a: 1\n---\nsecret: 2\n",
    "SECRET=secret\nOTHER: 'secret\n",
    "secr\xe9t".encode("latin-1"),
    "a: " + "9" * 500 + "secret",
]


@pytest.mark.parametrize("text", SECRETS, ids=range(len(SECRETS)))
def test_contents_of_other_files_are_not_quoted(text: str | bytes, tmp_path: Path) -> None:
    path = tmp_path / "private"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    (tmp_path / "p.yaml").write_text("extends: ./private\n")
    for read in (
        lambda: load_pipeline(path),
        lambda: load_pipeline(tmp_path / "p.yaml"),
        lambda: load_mapping({"extends": str(path)}),
    ):
        with pytest.raises(PipelineError) as caught:
            read()
        said = repr(caught.value.problems).lower()
        assert not any(word in said for word in ("secret", "aws", "token", "999", "services"))
        assert "private" in said


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("block: @x\nnodes: {}\n", "@x"),
        ("nodess: {}\nseed: text\n", "nodess"),
        ('{"block": "10ms", "nodes": {"a": 5}, "output": "a"}', "nodes.a is 5"),
        ("seed: text\n", "seed is 'text'"),
    ],
)
def test_contents_of_pipelines_are_quoted(text: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(text)
    with pytest.raises(PipelineError) as caught:
        load_pipeline(tmp_path / "p.yaml")
    assert words in str(caught.value)
