"""``voicegraph sdk build`` as a command; what it builds is tested in tests/app/sdk."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.app.sdk import build

Cli = Callable[..., tuple[int, str, str]]


def test_a_folder_with_files_is_kept(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    code, _, err = cli("sdk", "build", str(tmp_path))
    assert code == 4
    assert "is not empty" in err
    assert "--force" in err


def test_json_lists_the_files(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = build.SdkBuild(tmp_path, tmp_path / "lib" / "x.so", ("README.md", "lib/x.so"))
    monkeypatch.setattr(build, "build_sdk", lambda *_: made)
    code, out, _ = cli("sdk", "build", str(tmp_path), "--json")
    assert code == 0
    assert json.loads(out)["files"] == ["README.md", "lib/x.so"]


def test_overrides_without_a_plugin_are_refused(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("sdk", "build", str(tmp_path / "sdk"), "--set", "vars.transpose=2")
    assert (code, out) == (2, "")
    assert "--set is for pipelines of --ladspa, and none is named" in err
    assert not (tmp_path / "sdk").exists()


def test_pipeline_of_a_plugin_that_is_missing_is_named(cli: Cli, tmp_path: Path) -> None:
    code, out, err = cli("sdk", "build", str(tmp_path / "sdk"), "--ladspa", "default-life")
    assert (code, out) == (2, "")
    assert "no shipped pipeline is called 'default-life'" in err
    assert not (tmp_path / "sdk").exists()
