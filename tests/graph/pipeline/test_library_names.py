"""Names of the library of voices in the place of files, and what the card of a voice gives."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph.errors import InputError, PipelineError, Problem
from voicegraph.graph.files.recordings._file_identity import library_overrides, portable_overrides
from voicegraph.graph.files.recordings.recorder import describe
from voicegraph.graph.files.recordings.replay import plan_of
from voicegraph.graph.loading.library_values import voice_overrides
from voicegraph.graph.pipeline import Pipeline, Plan
from voicegraph.schemas.voice_library import VoiceSettings, WantedEncoder

from ...library_cards import kept, write_card, write_encoder

SMALL = {"vars.extra": "100ms", "vars.crossfade": "50ms", "block": "100ms"}
"""Settings of ``rvc`` with which small models are compiled quickly."""


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory, write_models: Callable[..., None]) -> Path:
    folder = tmp_path_factory.mktemp("models")
    write_models(folder)
    return folder


@pytest.fixture(autouse=True)
def library(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, models: Path) -> Path:
    """A library with the voices alice (with an index) and bob, and their encoder."""
    monkeypatch.setenv("VOICEGRAPH_DATA", str(tmp_path / "data"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    encoder = WantedEncoder(asset="hubert", width=256, name="hubert", chosen_by="the only one")
    alice = write_card(
        "alice",
        title="Alice Liddell",
        version="v1",
        encoder=encoder,
        model=kept("alice.pth"),
        index=kept("alice.index"),
        settings=VoiceSettings(transpose=12, index_rate=0.7, protect=0.2),
    )
    bob = write_card("bob", version="v1", encoder=encoder, model=kept("bob.pth"))
    shutil.copy(models / "voice.pth", alice / "alice.pth")
    shutil.copy(models / "added.index", alice / "alice.index")
    shutil.copy(models / "voice.pth", bob / "bob.pth")
    shutil.copy(models / "hubert.safetensors", write_encoder(widths=(256,)) / "hubert.safetensors")
    return tmp_path / "data" / "voices"


def _pipeline(name: str = "rvc", **overrides: Any) -> Pipeline:
    return Pipeline.load(name, {**SMALL, **{k.replace("__", "."): v for k, v in overrides.items()}})


def _plan(**overrides: Any) -> Plan:
    return _pipeline(**overrides).compile()


def _problem(**overrides: Any) -> Problem:
    with pytest.raises((PipelineError, InputError)) as error:
        _plan(**overrides)
    (problem,) = error.value.problems
    return problem


# ---- names are files ------------------------------------------------------------------------


def test_a_name_is_the_voice_with_what_its_card_gives(library: Path) -> None:
    plan = _plan(vars__voice="alice")
    assert plan.find("voice").params.checkpoint == library / "alice" / "alice.pth"  # pyright: ignore[reportAttributeAccessIssue]
    assert plan.find("retrieval").params.index == library / "alice" / "alice.index"  # pyright: ignore[reportAttributeAccessIssue]
    assert plan.find("content").params.weights == library / "hubert" / "hubert.safetensors"  # pyright: ignore[reportAttributeAccessIssue]
    assert plan.find("pitch").params.transpose == 12  # pyright: ignore[reportAttributeAccessIssue]
    assert {one.path for one in plan.taken} == {
        *("vars.voice", "vars.index", "assets.hubert", "vars.transpose", "vars.index_rate"),
    }


def test_names_make_the_plan_that_files_make(models: Path) -> None:
    given = {
        "vars.voice": str(models / "voice.pth"),
        "vars.index": str(models / "added.index"),
        "assets.hubert": str(models / "hubert.safetensors"),
        "vars.transpose": 12,
        "vars.index_rate": 0.7,
    }
    assert (
        _plan(vars__voice="alice").hash == Pipeline.load("rvc", {**SMALL, **given}).compile().hash
    )


def test_every_setting_counts_where_the_pipeline_has_it() -> None:
    taken = {one.path: one for one in _pipeline("rvc-file", vars__voice="alice").compile().taken}
    assert (taken["vars.protect"].value, taken["vars.protect"].instead) == (0.2, 0.33)


def test_what_the_user_gives_takes_precedence(models: Path) -> None:
    plan = _plan(
        vars__voice="alice",
        vars__index=None,
        vars__transpose=3,
        assets__hubert=str(models / "hubert.safetensors"),
    )
    assert plan.find("pitch").params.transpose == 3  # pyright: ignore[reportAttributeAccessIssue]
    assert "retrieval" in plan.bypassed
    assert {one.path for one in plan.taken} == {"vars.voice", "vars.index_rate"}


def test_a_pipeline_file_of_the_user_takes_precedence_over_settings() -> None:
    Path("my.yaml").write_text("extends: rvc\nvars: {voice: alice, transpose: 0}\n")
    taken = {one.path for one in Pipeline.load("./my.yaml", SMALL).compile().taken}
    assert "vars.index" in taken
    assert "vars.transpose" not in taken


def test_another_voice_brings_its_own_values() -> None:
    alice = _pipeline(vars__voice="alice")
    bob = alice.changed({"vars.voice": "bob"}).compile()
    assert "retrieval" in bob.bypassed
    assert bob.find("pitch").params.transpose == 0  # pyright: ignore[reportAttributeAccessIssue]
    assert bob.hash == _plan(vars__voice="bob").hash


def test_a_name_stands_wherever_a_file_does(library: Path) -> None:
    plan = _plan(vars__voice="bob", vars__index="alice", assets__hubert="hubert")
    assert plan.find("retrieval").params.index == library / "alice" / "alice.index"  # pyright: ignore[reportAttributeAccessIssue]
    plan = _plan(vars__voice="bob", nodes__voice__params__checkpoint="alice")
    assert plan.find("voice").params.checkpoint == library / "alice" / "alice.pth"  # pyright: ignore[reportAttributeAccessIssue]


def test_bundled_voices_have_names() -> None:
    plan = Pipeline.load("default-live", {"vars.voice": "michael"}).compile()
    michael = Pipeline.load("default-live", profiles=["michael"]).compile()
    assert plan.hash == michael.hash
    assert [one.path for one in plan.taken] == ["vars.voice"]


def test_explain_says_what_was_taken() -> None:
    text = _plan(vars__voice="alice").explain()
    assert "taken from the card of the voice alice\n  vars.voice: alice   Alice Liddell\n" in text
    assert "vars.index: library:alice   the index of the voice (without it: null)" in text
    assert "assets.hubert: library:hubert   the encoder of the voice: the only suitable one" in text
    assert "vars.transpose: 12.0   a setting that fits the voice (without it: 0)" in text


# ---- mistakes -------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_file_of_that_name_is_a_clash(kind: str) -> None:
    Path("alice").mkdir() if kind == "folder" else Path("alice").write_text("mine")
    problem = _problem(vars__voice="alice", assets__hubert="hubert")
    assert problem.code == "name-clash"
    assert f"there is a {kind} of that name" in problem.message
    assert problem.fix == "vars.voice: library:alice\nor vars.voice: ./alice"


def test_prefix_means_the_library_in_spite_of_a_file(library: Path) -> None:
    Path("alice").write_text("mine")
    plan = _plan(vars__voice="library:alice")
    assert plan.find("voice").params.checkpoint == library / "alice" / "alice.pth"  # pyright: ignore[reportAttributeAccessIssue]


def test_a_path_means_the_file(models: Path) -> None:
    shutil.copy(models / "voice.pth", "alice")
    plan = _plan(vars__voice="./alice", assets__hubert="hubert")
    assert plan.find("voice").params.checkpoint == Path("alice").absolute()  # pyright: ignore[reportAttributeAccessIssue]
    assert plan.taken == ()


def test_a_typo_names_the_nearest_voice() -> None:
    with pytest.raises(PipelineError) as error:
        Pipeline.load("rvc", set_args=["vars.voice=alcie"])
    assert {p.fix for p in error.value.problems} == {"--set vars.voice=alice"}
    assert "alice, bob" in str(error.value)
    problem = _problem(vars__voice="library:alcie")
    assert (problem.code, problem.fix) == ("unknown-voice", "library:alice")


def test_a_voice_without_an_encoder_says_what_to_add(library: Path) -> None:
    shutil.rmtree(library / "hubert")
    problem = _problem(vars__voice="alice")
    assert problem.code == "unset-asset"
    assert "alice needs a content encoder" in problem.message
    assert problem.fix == "voicegraph voice add hubert_base.pt\nor --set assets.hubert=PATH"


def test_an_encoder_of_the_library_is_offered(models: Path) -> None:
    problem = _problem(vars__voice=str(models / "voice.pth"))
    assert problem.fix == "--set assets.hubert=hubert  (of the library), or a file"


def test_an_index_that_is_not_there_is_named() -> None:
    problem = _problem(vars__voice="alice", vars__index="bob")
    assert problem.message == "bob of the library has no index"
    assert problem.fix == "vars.index: null"


def test_the_wrong_kind_says_what_it_is() -> None:
    problem = _problem(vars__voice="alice", assets__hubert="bob")
    assert "bob.pth is an RVC voice, but a content encoder" in problem.message


def test_a_voice_in_the_wrong_pipeline_names_the_right_ones() -> None:
    with pytest.raises(PipelineError) as error:
        Pipeline.load("default-live", {"vars.voice": "alice"}).compile()
    fixes = [problem.fix for problem in error.value.problems if problem.code == "wrong-kind"]
    assert "use a pipeline that speaks with alice: rvc-live or rvc or rvc-file" in fixes


# ---- voices of a running session, recordings ------------------------------------------------


def test_voice_overrides_replace_what_the_user_gave(models: Path) -> None:
    given = _pipeline(
        vars__voice=str(models / "voice.pth"),
        vars__index=str(models / "added.index"),
        assets__hubert=str(models / "hubert.safetensors"),
    )
    document = given.loaded.document
    assert document is not None
    overrides = voice_overrides(document, "bob")
    assert overrides == {
        "vars.voice": "library:bob",
        "vars.index": None,
        "assets.hubert": "library:hubert",
    }
    assert given.changed(overrides).compile().hash == _plan(vars__voice="bob").hash


def test_voice_overrides_refuse_what_cannot_speak(library: Path) -> None:
    document = _pipeline(vars__voice="alice").loaded.document
    assert document is not None
    with pytest.raises(InputError, match="hubert of the library is a content encoder"):
        voice_overrides(document, "hubert")
    with pytest.raises(InputError, match="no voice called 'carl'"):
        voice_overrides(document, "carl")
    shutil.rmtree(library / "hubert")
    with pytest.raises(InputError, match="which the library does not have"):
        voice_overrides(document, "bob")


def test_a_recording_needs_no_library_but_the_files(
    library: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = _plan(vars__voice="alice")
    header = describe(plan, 1)
    assert header.document["vars"]["voice"] == str(library / "alice" / "alice.pth")  # pyright: ignore[reportOptionalSubscript]
    assert header.document["vars"]["index"] == str(library / "alice" / "alice.index")  # pyright: ignore[reportOptionalSubscript]
    monkeypatch.setenv("VOICEGRAPH_DATA", "elsewhere")
    recording: Any = type("Recording", (), {"header": header, "path": Path("take")})
    assert plan_of(recording).hash == plan.hash


@pytest.mark.parametrize(("first", "second"), [("alice", "bob"), ("bob", "alice")])
def test_a_recorded_exchange_of_voices_needs_no_library(
    monkeypatch: pytest.MonkeyPatch, first: str, second: str
) -> None:
    base = _pipeline(vars__voice=first)
    header = describe(base.compile(), 1)
    later = base.changed({"vars.voice": second})
    plan = later.compile()
    overrides = {**library_overrides(base, plan), "vars.voice": second}
    assert later.loaded.complete is not None
    recorded = portable_overrides(overrides, later.loaded.complete, plan)
    monkeypatch.setenv("VOICEGRAPH_DATA", "elsewhere")
    again = Pipeline.from_data(header.document, "rvc", header.swapped)  # pyright: ignore[reportArgumentType]
    assert again.changed(recorded).compile().hash == plan.hash
