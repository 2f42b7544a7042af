"""Presets of a session: what is saved gives the same plan again; what changes to load one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from voicegraph.app.page_server.services._preset_text import preset_text
from voicegraph.app.page_server.services.preset_loading import changes_to
from voicegraph.app.reports.plan_report import report_plan
from voicegraph.app.storage import ConflictError
from voicegraph.graph.files.voice_library import entries
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.app import StartSession
from voicegraph.schemas.control import AudioFormat, RunningPipeline
from voicegraph.schemas.session_note import SessionLaunch


def running_pipeline(
    source: str | Path, overrides: dict[str, Any] | None = None, profiles: tuple[str, ...] = ()
) -> RunningPipeline:
    pipeline = Pipeline.load(source, overrides, profiles=profiles)
    return RunningPipeline(
        name=pipeline.name,
        path=str(pipeline.loaded.path),
        profiles=list(profiles),
        overrides=overrides or {},
        input=AudioFormat(rate_hz="48000", channels=1),
        output=None,
        latency_s="0",
        plan=report_plan(pipeline.compile()),
    )


def _plan_of(folder: Path, text: str) -> tuple[Pipeline, str]:
    path = folder / "preset.yaml"
    path.write_text(text, encoding="utf-8")
    pipeline = Pipeline.load(path, confined=[folder])
    return pipeline, pipeline.compile().hash


OVERRIDES = {
    "vars.formant": 2,
    "nodes.tail": {"use": "dsp.gain", "in": "limiter", "params": {"db": -3}},
    "nodes.tail.params.db": -4,
    "output": "tail",
}


def test_a_saved_preset_gives_the_same_plan(tmp_path: Path) -> None:
    running = running_pipeline("default-live", OVERRIDES)
    text = preset_text(running, {"voice.formant": 2, "tail.db": -4}, "my \u00fcbung")
    pipeline, plan = _plan_of(tmp_path, text)
    assert plan == running.plan.hash
    assert pipeline.loaded.file.description == "my \u00fcbung"


def test_live_values_and_profiles_are_saved(tmp_path: Path) -> None:
    running = running_pipeline("default-live", {}, ("michael",))
    text = preset_text(running, {"pitch.transpose": -5.0, "voice.formant": 0.0}, "")
    pipeline, _ = _plan_of(tmp_path, text)
    nodes = pipeline.loaded.file.nodes
    assert nodes["pitch"].params["transpose"] == -5.0
    assert "formant: 0.0" not in text
    assert pipeline.loaded.file.vars["voice"] == "michael"


def test_files_of_the_library_are_saved_by_name(tmp_path: Path) -> None:
    voice = str(entries()["heart"].model_file)
    text = preset_text(running_pipeline("default-live", {"vars.voice": voice}), {}, "")
    assert "voice: heart" in text
    assert voice not in text


def test_a_preset_of_a_preset_extends_the_bundled_pipeline(tmp_path: Path) -> None:
    first = tmp_path / "first.yaml"
    first.write_text("extends: default-live\nvars: {formant: 1}\n", encoding="utf-8")
    running = running_pipeline(first, {"vars.transpose": 3})
    text = preset_text(running, {}, "")
    assert "extends: default-live" in text
    assert _plan_of(tmp_path, text)[1] == running.plan.hash


def test_a_pipeline_of_its_own_is_no_preset(tmp_path: Path) -> None:
    own = tmp_path / "own.yaml"
    own.write_text(
        "block: 10ms\nnodes: {half: {use: dsp.gain, in: input}}\noutput: half\n", encoding="utf-8"
    )
    with pytest.raises(ConflictError, match="extends no bundled pipeline"):
        preset_text(running_pipeline(own), {}, "")


# ---- loading


def _launch(path: Path, overrides: dict[str, Any] | None = None) -> SessionLaunch:
    return SessionLaunch(
        request=StartSession(), pipeline="p", path=str(path), overrides=overrides or {}
    )


def _preset(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_preset_of_the_same_pipeline_is_a_change_that_takes_back_the_last_one(
    tmp_path: Path,
) -> None:
    before = _preset(tmp_path, "before", "extends: default-live\nvars: {formant: 3}\n")
    after = _preset(tmp_path, "after", "extends: default-live\nvars: {transpose: 2}\n")
    running = running_pipeline(before, {"vars.retrieve": 0.1})
    changes = changes_to(running, after, _launch(after, {"vars.lookahead": "70ms"}))
    assert changes == {
        "vars.formant": 0, "vars.retrieve": 0.5, "vars.transpose": 2, "vars.lookahead": "70ms",
    }  # fmt: skip
    assert changes is not None
    changed = Pipeline.load(before, running.overrides).changed(changes).compile()
    started = Pipeline.load(after, {"vars.lookahead": "70ms"}).compile()
    assert changed.hash == started.hash


@pytest.mark.parametrize(
    ("text", "overrides"),
    [
        ("extends: world\n", {}),
        ("extends: default-live\n", {"nodes.tail": {"use": "dsp.gain", "in": "limiter"}}),
    ],
)
def test_what_a_change_cannot_make_needs_a_new_start(
    tmp_path: Path, text: str, overrides: dict[str, Any]
) -> None:
    preset = _preset(tmp_path, "preset", text)
    assert changes_to(running_pipeline("default-live", overrides), preset, _launch(preset)) is None
