"""Files that nodes write: who asked for them, and where they really are."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import OutputError, StateError
from voicegraph.graph.files.recordings.reader import open_recording
from voicegraph.graph.files.recordings.replay import plan_of, run
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.graph.runtime.write_permission import permitted_writes

SPY = """\
block: 10ms
vars: {folder: sub, out: sub/x.wav}
nodes:
  spy: {use: io.probe, in: input, params: {file: FILE}}
output: spy
profiles: {loud: {nodes.spy.params.file: sub/profile.wav}}
"""


@pytest.fixture
def spy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with ``spy.yaml``, which writes ``sub/x.wav``, and files that extend it."""
    monkeypatch.chdir(tmp_path)
    for folder in ("sub", "other"):
        (tmp_path / folder).mkdir()
    (tmp_path / "spy.yaml").write_text(SPY.replace("FILE", "sub/x.wav"), encoding="utf-8")
    (tmp_path / "more.yaml").write_text("extends: spy.yaml\n", encoding="utf-8")
    text = SPY.replace("FILE", "$out")
    (tmp_path / "var.yaml").write_text(text, encoding="utf-8")
    (tmp_path / "part.yaml").write_text(SPY.replace("FILE", '"${folder}/x.wav"'), encoding="utf-8")
    return tmp_path


def _written(pipeline: Pipeline, **options: Any) -> None:
    with pipeline.session(warm_up=False, **options) as session:
        session.push(np.zeros(4800, np.float32))


@pytest.mark.parametrize("name", ["spy.yaml", "more.yaml", "var.yaml", "part.yaml"])
def test_what_a_file_asks_for_needs_permission(spy: Path, name: str) -> None:
    with pytest.raises(OutputError, match=r"spy\.file writes .*x\.wav, which the pipeline file"):
        _written(Pipeline.load(name))
    with pytest.raises(OutputError, match=r"may write in .*other only"):
        _written(Pipeline.load(name), allow_write=["other"])
    assert not list(spy.rglob("*.wav"))
    _written(Pipeline.load(name), allow_write=["other", "sub"])
    assert (spy / "sub" / "x.wav").is_file()


def test_refusal_names_place_folder_and_fix(spy: Path) -> None:
    with pytest.raises(OutputError) as caught:
        _written(Pipeline.load("spy.yaml"))
    (problem,) = caught.value.problems
    assert str(problem.mark) == "spy.yaml:4:50"
    assert problem.fix == f"--allow-write {spy / 'sub'}"


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("spy.yaml", {"set_args": ["nodes.spy.params.file=mine.wav"]}),
        ("spy.yaml", {"set_args": ["nodes.spy={use: io.probe, in: input, params: {file: m.wav}}"]}),
        ("spy.yaml", {"overrides": {"nodes.spy.params.file": "mine.wav"}}),
        ("var.yaml", {"set_args": ["vars.out=mine.wav"]}),
    ],
)
def test_what_the_user_asks_for_needs_none(spy: Path, name: str, more: dict[str, Any]) -> None:
    _written(Pipeline.load(name, **more))
    assert list(spy.glob("m*.wav"))


@pytest.mark.parametrize(
    ("name", "more"),
    [
        ("spy.yaml", {"profiles": ["loud"]}),  # the user names the profile, the file the place
        ("part.yaml", {"set_args": ["vars.folder=other"]}),
        ("spy.yaml", {"set_args": ["nodes.spy.use=io.probe", "vars.out=mine.wav"]}),
        ("var.yaml", {"set_args": ["nodes.spy.params.file=$out"]}),
    ],
)
def test_what_the_user_asks_for_in_part_needs_permission(
    spy: Path, name: str, more: dict[str, Any]
) -> None:
    with pytest.raises(OutputError, match="which the pipeline file asks for"):
        _written(Pipeline.load(name, **more))
    assert not list(spy.rglob("*.wav"))


def test_pipeline_in_python_is_the_users_own(spy: Path) -> None:
    nodes = {"spy": node("io.probe", "input", file="mine.wav")}
    _written(Pipeline(block="10ms", nodes=nodes, output="spy"))
    assert (spy / "mine.wav").is_file()


def test_file_that_python_extends_is_not(spy: Path) -> None:
    with pytest.raises(OutputError, match="which the pipeline file asks for"):
        _written(Pipeline(extends="./spy.yaml"))


def test_data_of_somebody_else_is_not(spy: Path) -> None:
    nodes = {"spy": node("io.probe", "input", file="mine.wav")}
    found = Pipeline.from_data({"block": "10ms", "nodes": nodes, "output": "spy"})
    with pytest.raises(OutputError, match="which the pipeline file asks for"):
        _written(found)


@pytest.mark.skipif(sys.platform == "win32", reason="links need permission there")
@pytest.mark.parametrize("name", ["x.wav", "link/x.wav"])
def test_links_are_followed_before_folders_are_compared(spy: Path, name: str) -> None:
    """A link to a file that does not exist, and a link to a folder."""
    (spy / "sub" / "link").symlink_to(spy / "other")
    (spy / "sub" / "x.wav").symlink_to(spy / "other" / "stolen.wav")
    (spy / "spy.yaml").write_text(SPY.replace("FILE", f"sub/{name}"), encoding="utf-8")
    with pytest.raises(OutputError, match="leads there"):
        _written(Pipeline.load("spy.yaml"), allow_write=["sub"])
    assert not list((spy / "other").iterdir())


@pytest.mark.parametrize("name", ["../x.wav", "sub/../../x.wav", "~/x.wav", "sub2/x.wav"])
def test_names_that_leave_the_folder(spy: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv("HOME", str(spy / "other"))
    monkeypatch.setenv("USERPROFILE", str(spy / "other"))
    (spy / "sub2").mkdir()
    (spy / "spy.yaml").write_text(SPY.replace("FILE", name), encoding="utf-8")
    with pytest.raises(OutputError, match="which the pipeline file asks for"):
        permitted_writes(Pipeline.load("spy.yaml").compile(), [spy / "sub"])


@pytest.mark.skipif(sys.platform == "win32", reason="links need permission there")
def test_link_put_in_place_later_is_not_followed(spy: Path) -> None:
    session = Pipeline.load("spy.yaml").session(warm_up=False, allow_write=["sub"])
    session.push(np.zeros(480, np.float32))
    (spy / "sub" / "x.wav").symlink_to(spy / "other" / "stolen.wav")
    with pytest.raises(OutputError, match="a link was put in its place"):
        session.close()
    assert not list((spy / "other").iterdir())


def test_swaps_add_and_rename_no_files(spy: Path) -> None:
    with Pipeline.load("spy.yaml").session(warm_up=False, allow_write=["sub"]) as session:
        for changes in (
            {"nodes.spy.params.file": str(spy / "stolen.wav")},
            {"nodes.spy.params.file": None},
            {"nodes.two": {"use": "io.probe", "in": "spy", "params": {"file": "two.wav"}},
             "output": "two"},
        ):  # fmt: skip
            with pytest.raises(StateError, match="files that a node writes cannot be"):
                session.change(changes)
    assert not list(spy.glob("*.wav"))


def test_replay_writes_nothing(spy: Path) -> None:
    _written(Pipeline.load("spy.yaml"), allow_write=["sub"], record="talk.jsonl")
    (spy / "sub" / "x.wav").unlink()
    recording = open_recording("talk.jsonl")
    assert len(list(run(plan_of(recording), recording))) == 10
    assert not list((spy / "sub").iterdir())
