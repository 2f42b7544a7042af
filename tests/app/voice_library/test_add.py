"""Adding voices: pairing, encoders, cards, and that nothing is half there."""

from __future__ import annotations

import json
import multiprocessing
import os
import shutil
import zipfile
from pathlib import Path

import pytest
import torch

from voicegraph.app.voice_library import AddRequest, add, remove, storage
from voicegraph.graph.errors import InputError, OutputError
from voicegraph.graph.files.models import identify
from voicegraph.graph.files.voice_library import entries, library_report, require
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.synth import rvc_example
from voicegraph.schemas.voice_library import AddReport, VoiceSettings

from ...library_cards import write_encoder
from .pictures import png

HEART = Path(__file__).parents[3] / "pipelines" / "voices" / "heart.safetensors"


def _voice(name: str, **more: object) -> Path:
    """A small voice of version 1 under a name of one's own."""
    torch.save({**rvc_example.voice(rvc_example.CONFIG, "v1", True), **more}, name)
    return Path(name)


def _alone(report: AddReport) -> str:
    (item,) = report.added
    return item.name


# ---- what is taken --------------------------------------------------------------------------


def test_a_zip_becomes_a_voice_with_index_picture_and_licence(models: Path) -> None:
    with zipfile.ZipFile("Alice.zip", "w") as made:
        made.write(models / "voice.pth", "Alice Liddell/model.pth")
        made.write(models / "added.index", "Alice Liddell/added_IVF4.index")
        made.writestr("Alice Liddell/icon.png", png())
        made.writestr("Alice Liddell/other.png", png())
        made.writestr("Alice Liddell/LICENSE.txt", "CC BY 4.0")
        made.writestr("readme.html", "<script>")
    write_encoder("hubert", widths=(256,))
    report = add([Path("Alice.zip")])
    alice = require(_alone(report))
    card = alice.card
    assert (card.name, card.title, card.licence) == ("alice", "Alice", "CC BY 4.0")
    assert (card.version, card.f0, card.rate_hz) == ("v1", True, 16000)
    assert card.picture is not None
    assert card.picture.was == "icon.png"
    assert card.index is not None
    assert card.encoder is not None
    assert (card.encoder.name, card.encoder.chosen_by) == ("hubert", "the only one")
    assert alice.picture_file is not None
    assert alice.picture_file.read_bytes() == png()
    assert report.added[0].needs == []


def test_what_is_kept_speaks_as_the_files_do(models: Path) -> None:
    add([models / "voice.pth", models / "added.index"], AddRequest("alice"))
    add([models / "hubert.safetensors"])
    original, kept = (
        identify(path) for path in (models / "voice.pth", require("alice").model_file)
    )
    assert kept.archive is not None
    assert original.archive is not None
    assert kept.archive.form == "safetensors"
    tensors = {n.removeprefix("weight."): t for n, t in original.archive.tensors.items()}
    mine = kept.archive.read(kept.archive.tensors)
    for name, tensor in mine.items():
        assert torch.equal(tensor, original.archive.read([f"weight.{name}"])[f"weight.{name}"])
    assert mine.keys() <= tensors.keys()
    small = {"block": "100ms", "vars.extra": "100ms", "vars.voice": "alice"}
    with Pipeline.load("rvc", small).session(warm_up=False) as session:
        assert session.plan.find("retrieval")


def test_folders_and_files_together_are_one_voice(models: Path) -> None:
    Path("bob/sub").mkdir(parents=True)
    shutil.copy(models / "voice.pth", "bob/sub/bob_e20_s400.pth")
    shutil.copy(models / "added.index", "bob/added_bob.index")
    Path("bob/.hidden.pth").write_bytes(b"")
    assert _alone(add([Path("bob")])) == "bob"
    assert require("bob").index_file is not None


def test_settings_that_another_program_noted_are_taken(models: Path) -> None:
    Path("0").mkdir()
    shutil.copy(models / "voice.pth", "0/model.pth")
    Path("0/cover.png").write_bytes(png())
    Path("0/face.png").write_bytes(png(4, 4))
    noted = {"name": "ずんだもん", "credit": "Zunko", "termsOfUseUrl": "https://zunko.jp"}
    noted |= {"iconFile": "face.png", "defaultTune": 12, "defaultIndexRatio": 0.4}
    noted |= {"defaultProtect": 7, "defaultFormantShift": 0}
    Path("0/params.json").write_text(json.dumps(noted), encoding="utf-8")
    card = require(_alone(add([Path("0")]))).card
    assert (card.name, card.author, card.licence) == ("ずんだもん", "Zunko", "https://zunko.jp")
    assert card.settings == VoiceSettings(transpose=12, index_rate=0.4)
    assert card.picture is not None
    assert card.picture.was == "face.png"
    assert any("defaultProtect 7" in remark for remark in card.remarks)


def test_what_is_given_takes_precedence(models: Path) -> None:
    Path("own.png").write_bytes(png(4, 4))
    request = AddRequest(
        "carl", "Carl", "mine", "me", "a voice", Path("own.png"), None,
        VoiceSettings(transpose=-5),
    )  # fmt: skip
    card = require(_alone(add([models / "voice.pth"], request))).card
    assert (card.title, card.licence, card.author) == ("Carl", "mine", "me")
    assert card.settings.transpose == -5
    assert card.picture is not None


def test_a_voice_of_ours_needs_no_encoder() -> None:
    shutil.copy(HEART, "alice.safetensors")
    report = add([Path("alice.safetensors")])
    card = report.added[0].card
    assert (card.name, card.title) == ("alice", "heart")
    assert (card.kind, card.rate_hz) == ("source_filter", 24000)
    assert card.pitch is not None
    assert report.added[0].needs == []
    assert report.added[0].pipelines[0] == "default-live"


def test_a_picture_that_is_none_is_a_remark(models: Path) -> None:
    Path("voice.png").write_text("<svg/>")
    card = require(_alone(add([models / "voice.pth", Path("voice.png")]))).card
    assert card.picture is None
    assert "no PNG" in card.remarks[0]


# ---- pairing --------------------------------------------------------------------------------


def test_an_index_of_another_width_is_left_out(models: Path, tmp_path: Path) -> None:
    import faiss

    from voicegraph.nodes.retrieval._faiss_example import vectors, with_lists

    faiss.write_index(with_lists(vectors(50, 768), 2, 1), "added_voice.index")
    report = add([models / "voice.pth", Path("added_voice.index"), models / "added.index"])
    assert [one.file for one in report.left_out] == ["added_voice.index"]
    assert "width 768" in report.left_out[0].why
    index = require(_alone(report)).card.index
    assert index is not None
    assert index.was == "added.index"


def test_names_only_break_ties(models: Path) -> None:
    Path("both").mkdir()
    for name in ("alice", "bob"):
        shutil.copy(models / "voice.pth", f"both/{name}_e20.pth")
        shutil.copy(models / "added.index", f"both/added_IVF4_Flat_nprobe_1_{name}_v1.index")
    report = add([Path("both")])
    assert [item.name for item in report.added] == ["alice", "bob"]
    for item in report.added:
        assert item.card.index is not None
        assert item.name in item.card.index.was
        assert any("names decided" in remark for remark in item.card.remarks)


def test_an_index_that_fits_two_voices_alike_is_left_out(models: Path) -> None:
    shutil.copy(models / "voice.pth", "alice.pth")
    shutil.copy(models / "voice.pth", "bob.pth")
    shutil.copy(models / "added.index", "added.index")
    report = add([Path("alice.pth"), Path("bob.pth"), Path("added.index")])
    assert "fits alice.pth and bob.pth alike" in report.left_out[0].why
    assert all(item.index is None for item in report.added)


def test_an_empty_index_is_left_out_of_a_folder(models: Path) -> None:
    import faiss

    Path("alice").mkdir()
    shutil.copy(models / "voice.pth", "alice/alice.pth")
    faiss.write_index(faiss.IndexFlatL2(256), "alice/trained_alice.index")
    report = add([Path("alice")])
    assert "holds no vectors" in report.left_out[0].why


# ---- encoders -------------------------------------------------------------------------------


def test_an_encoder_is_taken_by_the_voices_that_wait_for_it(models: Path) -> None:
    add([models / "voice.pth"], AddRequest("alice"))
    assert [need.code for need in library_report().voices[0].needs] == ["missing-encoder"]
    report = add([models / "hubert.safetensors"], AddRequest("hubert_base"))
    assert report.added[0].card.kind == "content_encoder"
    assert report.adopted == {"alice": "hubert_base"}
    assert library_report().voices[0].needs == []


def test_a_pitch_model_is_one(models: Path) -> None:
    assert add([models / "rmvpe.pt"]).added[0].card.kind == "pitch_model"


def test_encoders_are_chosen_by_the_trainers_name_or_not_at_all() -> None:
    write_encoder("hubert", widths=(256,))
    write_encoder("contentvec", widths=(256,))
    add([_voice("named.pth", embedder_model="contentvec")])
    add([_voice("nameless.pth")])
    add([_voice("odd.pth", embedder_model="japanese-hubert-base")])
    cards = {name: entry.card.encoder for name, entry in entries().items()}
    assert cards["named"] is not None
    assert (cards["named"].name, cards["named"].chosen_by) == ("contentvec", "stated name")
    assert cards["nameless"] is not None
    assert cards["nameless"].name is None
    assert cards["odd"] is not None
    assert cards["odd"].name is None


def test_a_given_encoder_has_to_fit(models: Path) -> None:
    write_encoder("wide", widths=(1024,))
    write_encoder("fits", widths=(256,))
    with pytest.raises(InputError, match="width 256; wide gives 1024"):
        add([models / "voice.pth"], AddRequest(encoder="wide"))
    name = _alone(add([models / "voice.pth"], AddRequest(encoder="fits")))
    encoder = require(name).card.encoder
    assert encoder is not None
    assert encoder.chosen_by == "given"


# ---- refusals -------------------------------------------------------------------------------


def _refused(*sources: str | Path, **request: object) -> str:
    before = library_report()
    with pytest.raises((InputError, OutputError)) as error:
        add([Path(source) for source in sources], AddRequest(**request))  # pyright: ignore[reportArgumentType]
    assert library_report() == before
    assert all(problem.fix for problem in error.value.problems)
    return str(error.value)


def test_a_name_that_exists_is_refused_with_what_replaces_it(models: Path) -> None:
    add([models / "voice.pth"], AddRequest("alice"))
    text = _refused(models / "plain.pth", name="alice")
    assert f"voicegraph voice add {models / 'plain.pth'} --name alice --force" in text
    first = require("alice")
    add([models / "plain.pth"], AddRequest("alice", force=True))
    assert not require("alice").card.f0
    assert not first.model_file.exists()
    assert "comes with voicegraph" in _refused(models / "voice.pth", name="heart", force=True)


def test_what_is_no_voice_is_refused(models: Path, tmp_path: Path) -> None:
    Path("empty").mkdir()
    Path("text.pth").write_text("hello")
    torch.save({"model": {"a": torch.ones(1)}}, "G_2333.pth")
    Path("notes").mkdir()
    Path("notes/readme.md").write_text("hello")
    assert "does not exist" in _refused("missing.pth")
    assert "holds no file that may be a voice" in _refused("empty")
    assert "it holds: readme.md" in _refused("notes")
    assert "text.pth" in _refused("text.pth")
    assert "unknown kind" in _refused("G_2333.pth")
    assert "voice that it belongs to is missing" in _refused(models / "added.index")
    assert "cannot be the name" in _refused(models / "voice.pth", name="../alice")


def test_one_name_for_two_voices_is_refused(models: Path) -> None:
    shutil.copy(models / "voice.pth", "alice.pth")
    text = _refused("alice.pth", models / "plain.pth", name="carl")
    assert "--name is for one voice, and there are 2 models" in text


def test_a_hostile_archive_leaves_nothing(models: Path, library: Path) -> None:
    with zipfile.ZipFile("alice.zip", "w") as made:
        made.write(models / "voice.pth", "voice.pth")
        made.writestr("../../voice.pth", b"out")
    assert "leads out of its folder" in _refused("alice.zip")
    assert list((library / storage.INCOMING).iterdir()) == []


# ---- atomicity ------------------------------------------------------------------------------


def _killed_while_adding(models: str) -> None:
    def die(*_: object, **__: object) -> None:
        os._exit(9)

    storage.write_text = die  # the last step: the card  # pyright: ignore[reportAttributeAccessIssue]
    add([Path(models) / "voice.pth"], AddRequest("alice"))


def test_a_killed_add_leaves_nothing_that_is_listed(models: Path, library: Path) -> None:
    process = multiprocessing.get_context("spawn").Process(
        target=_killed_while_adding, args=(str(models),)
    )
    process.start()
    process.join()
    assert process.exitcode == 9
    assert list((library / "alice").rglob("*.safetensors"))
    assert list(entries()) == ["heart", "michael"]
    add([models / "voice.pth"], AddRequest("bob"))
    assert not (library / "alice").exists()
    assert [path.name for path in (library / storage.INCOMING).iterdir()] == []
    add([models / "voice.pth"], AddRequest("alice"))
    assert list(entries()) == ["alice", "bob", "heart", "michael"]


def _add_as(models: str, name: str, outcomes: object) -> None:
    try:
        add([Path(models) / "voice.pth"], AddRequest(name))
    except OutputError as error:
        outcomes.put(error.problems[0].code)  # pyright: ignore[reportAttributeAccessIssue]
    else:
        outcomes.put("added")  # pyright: ignore[reportAttributeAccessIssue]


def test_two_at_once_do_not_clash(models: Path, library: Path) -> None:
    context = multiprocessing.get_context("spawn")
    outcomes = context.Queue()
    both = [
        context.Process(target=_add_as, args=(str(models), "alice", outcomes)) for _ in range(2)
    ]
    for process in both:
        process.start()
    found = sorted(outcomes.get(timeout=120) for _ in both)
    for process in both:
        process.join()
    assert found == ["added", "exists"]
    assert require("alice").model_file.is_file()
    assert len([path for path in (library / "alice").iterdir() if path.is_dir()]) == 1


def test_strange_folders_in_the_library_stay(models: Path, library: Path) -> None:
    (library / "mine").mkdir(parents=True)
    (library / "mine" / "notes.txt").write_text("keep")
    add([models / "voice.pth"], AddRequest("alice"))
    remove(["alice"])
    assert (library / "mine" / "notes.txt").is_file()
    assert not (library / "alice").exists()
