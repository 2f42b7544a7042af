"""Reading the library: entries, cards, what a voice needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from voicegraph.graph.errors import InputError
from voicegraph.graph.files import voice_library
from voicegraph.graph.files.voice_library import entries, find, library_report, needs_of, require
from voicegraph.schemas.voice_library import VoiceSettings, WantedEncoder

from ....library_cards import HUBERT, kept, write_card, write_encoder


def _needs(name: str) -> list[str]:
    library = entries()
    return [problem.message for problem in needs_of(library[name], library)]


def test_bundled_voices_are_there_without_a_folder(library: Path) -> None:
    assert not library.exists()
    found = entries()
    assert list(found) == ["heart", "michael"]
    heart = found["heart"]
    assert heart.bundled
    assert heart.model_file.is_file()
    assert heart.card.rate_hz == 24000
    assert heart.card.pitch is not None
    assert heart.card.pitch.low_hz is not None
    assert 140 < heart.card.pitch.low_hz < heart.card.pitch.median_hz < 200
    assert _needs("heart") == []


def test_library_is_read_without_torch() -> None:
    code = (
        "import sys; from voicegraph.graph.files.voice_library import library_report; "
        "library_report(); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_entry_names_its_files(library: Path) -> None:
    write_card("alice", index=kept("alice.index.safetensors"), picture=kept("alice.png"))
    alice = require("alice")
    assert alice.model_file == library / "alice" / "alice.safetensors"
    assert alice.index_file == library / "alice" / "alice.index.safetensors"
    assert alice.picture_file == library / "alice" / "alice.png"
    assert find("library:alice") == alice
    assert voice_library.known_names() == ["alice", "heart", "michael"]


def test_folder_without_a_card_is_not_listed(library: Path) -> None:
    (library / "half").mkdir(parents=True)
    (library / "half" / "half.safetensors").write_bytes(b"")
    (library / ".incoming").mkdir()
    assert list(entries()) == ["heart", "michael"]
    assert find("half") is None


def test_a_card_of_another_case_is_not_the_one(library: Path) -> None:
    write_card("alice")
    assert find("Alice") is None


def test_an_unknown_name_says_which_was_meant() -> None:
    write_card("alice")
    with pytest.raises(InputError, match="alice, heart, michael") as error:
        require("alcie")
    assert error.value.problems[0].fix == "alice"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no JSON", "Invalid JSON"),
        ('{"name": "bob"}', "title"),
        ('{"format": 2}', "format"),
    ],
)
def test_a_broken_card_is_listed_apart(library: Path, text: str, why: str) -> None:
    write_card("alice")
    (write_card("bob") / "card.json").write_text(text)
    report = library_report()
    assert [item.name for item in report.voices] == ["alice", "heart", "michael"]
    assert [item.name for item in report.unreadable] == ["bob"]
    assert why in report.unreadable[0].problem.message
    with pytest.raises(InputError, match=r"card\.json cannot be read"):
        require("bob")


def test_a_card_under_another_name_is_broken(library: Path) -> None:
    write_card("alice").rename(library / "bob")
    assert "calls itself 'alice'" in library_report().unreadable[0].problem.message


def test_report_is_json_with_paths_and_settings() -> None:
    write_encoder()
    encoder = WantedEncoder(asset="hubert", width=768, name="hubert", chosen_by="the only one")
    write_card("alice", encoder=encoder, settings=VoiceSettings(transpose=12, protect=0.2))
    report = json.loads(library_report().model_dump_json())
    alice = report["voices"][0]
    assert alice["settings"] == {"vars.transpose": 12, "vars.protect": 0.2}
    assert alice["pipelines"] == ["rvc-live", "rvc", "rvc-file"]
    assert alice["needs"] == []
    assert Path(alice["encoder"]).name == "hubert.safetensors"
    assert [item["name"] for item in report["models"]] == ["hubert"]


def test_onnx_files_take_the_nodes_that_run_them() -> None:
    write_encoder(form="onnx")
    encoder = WantedEncoder(asset="hubert", width=768, name="hubert", chosen_by="the only one")
    write_card("alice", form="onnx", encoder=encoder, pitch={"median_hz": 210})
    alice = library_report().voices[0]
    assert alice.settings == {
        "nodes.voice.use": "synth.onnx",
        "vars.register": 210,
        "nodes.content.use": "content.onnx",
    }
    assert alice.pipelines == ["rvc", "rvc-file"]


# ---- what a voice needs ---------------------------------------------------------------------


def test_a_voice_without_an_encoder_says_what_to_add() -> None:
    write_card("alice")
    (need,) = library_report().voices[0].needs
    assert need.code == "missing-encoder"
    assert "hubert_base.pt" in need.message
    assert "width 768" in need.message
    assert need.fix == "voicegraph voice add hubert_base.pt"


def test_several_encoders_are_never_guessed_among() -> None:
    write_card("alice")
    write_encoder("hubert")
    write_encoder("contentvec")
    (need,) = library_report().voices[0].needs
    assert need.code == "which-encoder"
    assert "contentvec and hubert" in need.message
    assert need.fix == "voicegraph voice edit alice --encoder contentvec"


def test_only_the_stated_encoder_will_do() -> None:
    stated = WantedEncoder(asset="hubert", width=768, fingerprint="f" * 16, stated="ContentVec")
    write_card("alice", encoder=stated)
    write_encoder("hubert")
    (message,) = _needs("alice")
    assert f"ContentVec, fingerprint {'f' * 16}" in message


def test_an_encoder_that_was_removed_is_missing_again() -> None:
    encoder = WantedEncoder(asset="hubert", width=768, fingerprint=HUBERT, name="hubert")
    write_card("alice", encoder=encoder)
    (message,) = _needs("alice")
    assert message.startswith("alice needs the encoder that it was trained on")


def test_a_lost_file_is_named(library: Path) -> None:
    encoder = WantedEncoder(asset="hubert", width=768, name="hubert", chosen_by="given")
    write_card("alice", encoder=encoder, index=kept("alice.index.safetensors"))
    write_encoder()
    (library / "alice" / "alice.index.safetensors").unlink()
    (library / "hubert" / "hubert.safetensors").unlink()
    first, second = _needs("alice")
    assert "alice.index.safetensors, a file of alice, is missing" in first
    assert "hubert.safetensors, a file of hubert, is missing" in second
