"""``voicegraph voice list``, ``show``, ``add``, ``edit``, ``merge`` and ``remove``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.schemas.voice_library import AddReport, LibraryItem, LibraryReport, RemoveReport

from ...library_cards import write_card, write_encoder

Cli = Callable[..., tuple[int, str, str]]
HEART = Path(__file__).parents[3] / "pipelines" / "voices" / "heart.safetensors"


@pytest.fixture(autouse=True)
def library(place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("VOICEGRAPH_DATA", str(place / "data"))
    return place / "data" / "voices"


def test_list_says_what_is_there_and_what_is_missing(cli: Cli, library: Path) -> None:
    write_card("alice", title="Alice Liddell")
    (write_card("bob") / "card.json").write_text("{}")
    code, out, _ = cli("voice", "list")
    assert code == 0
    assert "Alice Liddell" in out
    assert "RVC voice v2" in out
    assert "alice needs a content encoder" in out
    assert "fix: voicegraph voice add hubert_base.pt" in out
    assert "bob/card.json cannot be read" in out.replace("\\", "/")
    assert f"library: {library}" in out
    report = LibraryReport.model_validate_json(cli("voice", "list", "--json")[1])
    assert [item.name for item in report.voices] == ["alice", "heart", "michael"]


def test_show_says_what_to_type(cli: Cli) -> None:
    code, out, _ = cli("voice", "show", "heart")
    assert code == 0
    assert "register" in out
    assert "voicegraph live default-live --set vars.voice=heart" in out
    assert LibraryItem.model_validate_json(cli("voice", "show", "heart", "--json")[1]).bundled


def test_an_unknown_name_gives_the_command_with_the_nearest(cli: Cli) -> None:
    code, _, err = cli("voice", "show", "haert")
    assert code == 3
    assert "fix: voicegraph voice show heart" in err


def test_a_voice_goes_in_changes_and_goes(cli: Cli) -> None:
    shutil.copy(HEART, "my voice.safetensors")
    code, out, err = cli("voice", "add", "my voice.safetensors", "--title", "Mine", "--json")
    assert code == 0
    assert "converting" in err
    report = AddReport.model_validate_json(out)
    assert [(item.name, item.card.title) for item in report.added] == [("my-voice", "Mine")]
    code, _, err = cli("voice", "add", "my voice.safetensors")
    assert code == 4
    assert "fix: voicegraph voice add 'my voice.safetensors' --name my-voice --force" in err
    assert cli("voice", "edit", "my-voice", "--transpose", "3", "--licence", "free")[0] == 0
    assert "vars.transpose=3" in cli("voice", "show", "my-voice")[1]
    assert cli("check", "default-live", "--set", "vars.voice=my-voice")[0] == 0
    removed = cli("voice", "remove", "my-voice", "--json")[1]
    assert RemoveReport.model_validate_json(removed).removed == ["my-voice"]
    assert cli("voice", "remove", "my-voice")[0] == 3


def test_an_encoder_that_is_used_is_not_removed_silently(cli: Cli) -> None:
    from voicegraph.schemas.voice_library import WantedEncoder

    write_encoder()
    write_card("alice", encoder=WantedEncoder(asset="hubert", name="hubert", chosen_by="given"))
    code, _, err = cli("voice", "remove", "hubert")
    assert code == 4
    assert "fix: voicegraph voice remove hubert --force" in err
    assert "alice has no encoder now" in cli("voice", "remove", "hubert", "--force")[1]


@pytest.mark.parametrize("ratio", ["0", "1", "1.5", "-1", "nan"])
def test_a_ratio_that_is_no_share_is_refused(cli: Cli, ratio: str) -> None:
    code, _, err = cli("voice", "merge", "heart", "michael", "--ratio", ratio)
    assert code == 2
    assert "--ratio" in err


def test_errors_are_json_with_json(cli: Cli) -> None:
    code, out, _ = cli("voice", "merge", "heart", "michael", "--json")
    assert code == 3
    assert json.loads(out)["problems"][0]["code"] == "not-mergeable"


def test_commands_for_model_files_take_names(cli: Cli) -> None:
    assert "source-filter voice" in cli("inspect", "heart")[1]
    code, out, _ = cli("index", "inspect", "heart")
    assert code == 0
    assert "heart.safetensors" in out
    Path("heart").write_text("mine")
    code, _, err = cli("inspect", "heart")
    assert code != 0
    assert "library:heart" in err
    assert "source-filter voice" in cli("inspect", "library:heart")[1]


def test_names_are_completed() -> None:
    from voicegraph.app.cli._completion import complete_voices

    write_card("hera")
    assert complete_voices("he") == ["heart", "hera"]
