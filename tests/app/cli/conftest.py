"""Running commands in this process, in a folder of their own."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.app.cli.app import main

GOOD = """\
block: 10ms
vars: {db: -6}
nodes:
  low: {use: dsp.gain, in: input, params: {db: $db}}
  off: {use: dsp.limiter, in: low, enabled: false}
  unused: {use: dsp.gain, in: input}
output: off
profiles:
  quiet: {vars.db: -20}
"""
BAD = """\
block: 10ms
nodes:
  low: {use: dsp.gian, in: input, params: {db: 100}}
  end: {use: dsp.gain, in: imput, params: {db: 100, dB: 1}}
  bare: {use: dsp.gain}
output: end
blok: 1
"""
Cli = Callable[..., tuple[int, str, str]]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with ``good.yaml`` and ``bad.yaml``."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.yaml").write_text(GOOD, encoding="utf-8")
    (tmp_path / "bad.yaml").write_text(BAD, encoding="utf-8")
    return tmp_path


@pytest.fixture
def cli(place: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """``cli(*arguments)``: exit code, what was printed, and what went to standard error."""

    def call(*arguments: str) -> tuple[int, str, str]:
        code = main(list(arguments))
        out, err = capsys.readouterr()
        assert "Traceback" not in out + err
        return code, out, err

    return call
