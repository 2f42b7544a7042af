"""Confined pipelines: which files they may name, whoever names them."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import OutputError, PipelineError
from voicegraph.graph.loading.sources import shipped_folder
from voicegraph.graph.pipeline import Pipeline

CODE = "outside-confinement"
VOICE = "vars.voice"


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """A folder with a voice and a preset; a secret, another preset and a voice lie beside it."""
    inside = tmp_path / "library"
    inside.mkdir()
    voice = next((shipped_folder() / "voices").glob("*.safetensors"))
    for folder in (tmp_path, inside):
        shutil.copy(voice, folder / "own.safetensors")
        (folder / "base.yaml").write_text("extends: default-live\n", encoding="utf-8")
    (tmp_path / "secret.yaml").write_text("password: hunter2\n", encoding="utf-8")
    return inside


def _preset(library: Path, text: str) -> Path:
    path = library / "preset.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def _problems(library: Path, source: str | Path, **options: Any) -> list[Any]:
    with pytest.raises(PipelineError) as caught:
        Pipeline.load(source, confined=[library], **options).compile()
    return list(caught.value.problems)


def test_files_of_the_package_and_of_the_folder_are_read(library: Path) -> None:
    Pipeline.load("default-live", confined=[library]).compile()
    Pipeline.load("default-live", confined=[]).compile()
    preset = _preset(library, "extends: base.yaml\nvars: {voice: own.safetensors}\n")
    plan = Pipeline.load(preset, confined=[library]).compile()
    assert library / "own.safetensors" in {p for node in plan.nodes for p in node.files.values()}


@pytest.mark.parametrize("name", ["../own.safetensors", "/nowhere/voice.pth", "~/voice.pth"])
def test_other_files_are_refused_with_place(library: Path, name: str) -> None:
    preset = _preset(library, f"extends: default-live\nvars: {{voice: {name}}}\n")
    found = _problems(library, preset)
    assert {problem.code for problem in found} == {CODE}
    assert all(str(library) in problem.notes[0][0] for problem in found)


def test_override_and_profile_and_later_change_are_confined(library: Path) -> None:
    outside = str(library.parent / "own.safetensors")
    found = _problems(library, "default-live", overrides={VOICE: outside})
    assert found[0].code == CODE
    found = _problems(library, "default-live", set_args=[f"{VOICE}={outside}"])
    assert found[0].code == CODE
    preset = _preset(
        library, f"extends: default-live\nprofiles: {{evil: {{{VOICE}: '{outside}'}}}}\n"
    )
    loaded = Pipeline.load(preset, confined=[library])
    for changed in (
        lambda: loaded.with_profiles("evil"),
        lambda: loaded.with_profiles().changed({VOICE: outside}),
    ):
        with pytest.raises(PipelineError) as caught:
            changed().compile()
        assert caught.value.problems[0].code == CODE


def test_message_does_not_tell_whether_a_file_exists(library: Path) -> None:
    there, gone = (str(library.parent / name) for name in ("own.safetensors", "own.safetensorz"))
    said = [
        [(p.code, p.message.replace(name, "FILE")) for p in
         _problems(library, "default-live", overrides={VOICE: name})]
        for name in (there, gone)
    ]  # fmt: skip
    assert said[0] == said[1]


@pytest.mark.parametrize("name", ["../base.yaml", "../secret.yaml", "/etc/passwd.yaml"])
def test_extended_files_elsewhere_are_not_opened(library: Path, name: str) -> None:
    (problem,) = _problems(library, _preset(library, f"extends: {name}\n"))
    assert problem.code == CODE
    assert str(problem.mark).endswith("preset.yaml:1:10")
    assert "hunter2" not in str(problem)


@pytest.mark.skipif(sys.platform == "win32", reason="links need a privilege on Windows")
def test_links_that_lead_out_are_refused(library: Path) -> None:
    (library / "link.safetensors").symlink_to(library.parent / "own.safetensors")
    found = _problems(library, "default-live", overrides={VOICE: str(library / "link.safetensors")})
    assert found[0].code == CODE


def test_overrides_write_only_where_it_is_allowed(library: Path) -> None:
    text = "block: 10ms\nnodes: {spy: {use: io.probe, in: input}}\noutput: spy\n"
    target = library / "out.wav"
    pipeline = Pipeline.load(
        _preset(library, text),
        set_args=[f"nodes.spy.params.file={target}"],
        confined=[library],
    )
    with pytest.raises(OutputError, match="and the pipeline is confined"):
        pipeline.session(warm_up=False)
    assert not target.exists()
    with pipeline.session(warm_up=False, allow_write=[library]) as session:
        session.push(np.zeros(4800, np.float32))
    assert target.is_file()
