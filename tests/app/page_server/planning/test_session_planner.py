"""From what a page asks for to a session."""

from __future__ import annotations

from pathlib import Path

import pytest

from voicegraph.app.page_server.planning.qualities import qualities_of
from voicegraph.app.page_server.planning.session_planner import SessionPlanner
from voicegraph.graph.errors import InputError, PipelineError, VoicegraphError
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.app import StartSession


@pytest.fixture
def planner(tmp_path: Path) -> SessionPlanner:
    (tmp_path / "presets").mkdir()
    return SessionPlanner(tmp_path / "voices", tmp_path / "presets")


def test_bundled_voice_speaks_if_none_is_chosen(planner: SessionPlanner) -> None:
    launch = planner.plan(StartSession())
    assert (launch.voice, launch.pipeline, launch.path) == ("heart", "default-live", "default-live")
    assert launch.overrides["vars.voice"] == "heart"


def test_quality_is_a_profile_or_a_block(planner: SessionPlanner) -> None:
    safe = planner.plan(StartSession(quality="safe"))
    assert (safe.profile, "block" in safe.overrides) == ("steady", False)
    balanced = planner.plan(StartSession(quality="balanced"))
    assert (balanced.profile, balanced.overrides["block"]) == (None, "60ms")


def test_room_is_what_noise_suppression_needs(planner: SessionPlanner) -> None:
    launch = planner.plan(StartSession())
    plain = Pipeline.load(launch.path, launch.overrides).compile()
    full = Pipeline.load(
        launch.path,
        {**launch.overrides, "nodes.denoise.enabled": True, "nodes.gate.enabled": True},
    ).compile()
    assert launch.room_ms == pytest.approx(1e3 * float(full.latency.algorithmic))
    assert full.latency.algorithmic > plain.latency.algorithmic


def test_delays_are_those_of_the_session_and_grow(planner: SessionPlanner) -> None:
    found = planner.qualities("heart")
    assert [quality.id for quality in found] == ["quick", "balanced", "safe"]
    assert [quality.default for quality in found] == [False, True, False]
    delays = [quality.delay_ms for quality in found]
    assert delays == sorted(delays)
    launch = planner.plan(StartSession(quality="balanced"))
    plan = Pipeline.load(launch.path, launch.overrides).compile()
    buffering_ms = 1e3 * float(plan.latency.buffering)
    assert delays[1] == pytest.approx(launch.room_ms + buffering_ms)


def test_own_values_take_precedence_over_the_voices(planner: SessionPlanner) -> None:
    launch = planner.plan(StartSession(overrides={"vars.transpose": 5}))
    assert list(launch.overrides)[-1] == "vars.transpose"
    (pitch,) = [c for c in planner.controls("heart") if c.id == "pitch"]
    assert (pitch.minimum, pitch.maximum, pitch.default) == (-24, 24, 0)


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        (StartSession(voice="nobody"), "unknown-voice"),
        (StartSession(pipeline="rvc-live"), "wrong-pipeline"),
        (StartSession(preset="nothing"), "no-such-preset"),
        (StartSession(preset="../secret"), "no-such-preset"),
        (StartSession(overrides={"nodes.f0.use": "f0.nothing"}), "unknown-node"),
        (StartSession(overrides={"vars.voice": "/etc/passwd"}), "outside-confinement"),
        (
            StartSession(overrides={"vars.voice": "../../../secret.safetensors"}),
            "outside-confinement",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else None,
)
def test_wrong_wishes_are_refused_before_anything_starts(
    planner: SessionPlanner, tmp_path: Path, asked: StartSession, code: str
) -> None:
    (tmp_path / "secret.yaml").write_text("extends: default-live\n", encoding="utf-8")
    with pytest.raises(VoicegraphError) as raised:
        planner.plan(asked)
    assert raised.value.problems[0].code == code


def test_preset_is_a_file_of_the_folder(planner: SessionPlanner, tmp_path: Path) -> None:
    text = "extends: default-live\nvars: {voice: michael, transpose: 3}\n"
    path = tmp_path / "presets" / "deep.yaml"
    path.write_text(text, encoding="utf-8")
    launch = planner.plan(StartSession(preset="deep"))
    assert (launch.pipeline, launch.path, launch.profile) == ("deep", str(path), None)
    assert "vars.voice" not in launch.overrides
    other = planner.plan(StartSession(preset="deep", voice="heart"))
    assert other.overrides["vars.voice"] == "library:heart"
    path.write_text("extends: default-live\nvars: {voice: /etc/passwd}\n", encoding="utf-8")
    with pytest.raises((InputError, PipelineError)):
        planner.plan(StartSession(preset="deep"))


def test_other_voice_of_a_preset_does_not_take_its_index(
    planner: SessionPlanner, tmp_path: Path
) -> None:
    text = "extends: default-live\nvars: {voice: michael, index: library:michael}\n"
    (tmp_path / "presets" / "deep.yaml").write_text(text, encoding="utf-8")
    launch = planner.plan(StartSession(preset="deep", voice="heart"))
    assert launch.overrides["vars.index"] != "library:michael"


def test_unknown_pipeline_has_one_quality() -> None:
    assert list(qualities_of("world")) == ["balanced"]
