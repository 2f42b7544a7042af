"""``voicegraph live``: what is typed, opened, shown and said; without a sound card."""

from __future__ import annotations

import json
import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from voicegraph.app.cli import live as command
from voicegraph.app.cli._termination import SIGNALS
from voicegraph.app.cli.app import main
from voicegraph.app.control.http_info_file import read_http_info
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.setup import LiveSetup
from voicegraph.schemas.control import HttpInfo
from voicegraph.schemas.live_command import Mute
from voicegraph.schemas.live_end import LiveEnd
from voicegraph.schemas.live_health import LiveHealth
from voicegraph.schemas.live_status import LiveStatus

from ...fake_sounddevice import FakeSoundDevice
from ..fake_live import FakeLive

Cli = Callable[..., tuple[int, str, str]]
SHORT = ("--duration", "20ms")


def _words(text: str) -> str:
    """Without the frame around it."""
    return " ".join(text.replace("│", " ").split())


@pytest.fixture
def status() -> LiveStatus:
    live = FakeLive()
    live.command(Mute(on=True))  # one tick
    return live.status()


# ---- what works ---------------------------------------------------------------------------------


def test_defaults_need_no_options(cli: Cli, sound_system: FakeSoundDevice) -> None:
    code, out, err = cli("live", "good.yaml", *SHORT)
    assert code == 0, err
    assert "starting" in out
    assert "0:00 min; 99 of 100 blocks took" in err
    assert "no sound was processed" in err
    assert [stream.options["device"] for stream in sound_system.streams] == [0, 1]
    assert all(stream.closed for stream in sound_system.streams)


def test_json_prints_lines(cli: Cli, sound_system: FakeSoundDevice) -> None:
    code, out, err = cli("live", "good.yaml", *SHORT, "--json")
    assert (code, err) == (0, "")
    lines = [json.loads(line) for line in out.splitlines()]
    assert [lines[0]["state"], lines[-1]["state"]] == ["starting", "stopped"]
    assert lines[0]["input"]["device"] == "Microphone"


def test_options_reach_devices_and_session(
    cli: Cli, sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[tuple[LiveSetup, LiveOptions]] = []
    begin = LiveSetup.open_session

    def open_session(self: LiveSetup, options: LiveOptions, *rest: Any) -> Any:
        opened.append((self, options))
        return begin(self, options, *rest)

    monkeypatch.setattr(LiveSetup, "open_session", open_session)
    code, _, err = cli(
        "live", "good.yaml", *SHORT, "--input", "headset", "--output", "headset",
        "--input-rate", "44100", "--output-channels", "1", "--buffers", "40ms",
        "--margin", "10ms", "--room", "30ms", "--set", "vars.db=-9", "--b", "vars.db=-3",
        "--silence", "skip", "--silence-opens", "-40", "--silence-closes", "-45",
        "--silence-hold", "2s", "--monitor", "--push-to-talk", "--takes", "mine",
    )  # fmt: skip
    assert code == 0, err
    [(setup, options)] = opened
    assert options == LiveOptions(
        margin_s=0.01, silence="skip", opens_db=-40, closes_db=-45, hold_s=2.0,
        push_to_talk=True, monitor=True, variant={"vars.db": -3}, takes=Path("mine").absolute(),
    )  # fmt: skip
    assert setup.buffers == 0.04
    assert float(setup.plan.latency.algorithmic) == 0.03
    [stream] = sound_system.streams
    assert (stream.kind, stream.options["samplerate"]) == ("duplex", 44100)
    assert stream.options["channels"] == (1, 1)


def test_recording_is_named_at_the_end(cli: Cli, sound_system: FakeSoundDevice) -> None:
    code, _, err = cli("live", "good.yaml", *SHORT, "--record", "talk.jsonl")
    assert code == 0
    assert "recorded: talk.jsonl   (voicegraph replay talk.jsonl)" in err
    assert Path("talk.in.wav").exists()


def test_no_server_without_its_option(
    cli: Cli, sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voicegraph.app import control_servers

    def opens(*_: Any) -> None:
        raise AssertionError("a port")

    monkeypatch.setattr(control_servers.Control, "start", opens)
    assert cli("live", "good.yaml", *SHORT)[0] == 0


def test_end_report_says_that_a_session_was_stopped(
    cli: Cli, sound_system: FakeSoundDevice
) -> None:
    assert cli("live", "good.yaml", *SHORT, "--end-report", "end.json")[0] == 0
    found = LiveEnd.model_validate_json(Path("end.json").read_text())
    assert (found.ok, found.problems, found.pid) == (True, [], os.getpid())


def test_end_report_has_the_problems_of_a_session_that_cannot_start(
    cli: Cli, sound_system: FakeSoundDevice
) -> None:
    asked = ("live", "good.yaml", "--input", "no such thing", "--end-report", "end.json")
    assert cli(*asked)[0] == 5
    found = LiveEnd.model_validate_json(Path("end.json").read_text())
    assert (found.ok, [problem.code for problem in found.problems]) == (False, ["no-device"])
    assert cli(*asked)[0] == 5, "the report of an earlier session is replaced"


def test_end_report_replaces_no_other_file(cli: Cli, sound_system: FakeSoundDevice) -> None:
    code, _, err = cli("live", "good.yaml", *SHORT, "--end-report", "good.yaml")
    assert (code, "good.yaml exists" in err) == (4, True)


def test_http_info_exists_while_the_session_runs(
    cli: Cli, sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[HttpInfo | None] = []
    begin = LiveSession.start

    def start(self: LiveSession) -> None:
        seen.append(read_http_info(Path("info.json")))
        begin(self)

    monkeypatch.setattr(LiveSession, "start", start)
    code, out, _ = cli("live", "good.yaml", *SHORT, "--http", "0", "--http-info", "info.json")
    assert code == 0
    [info] = seen
    assert info is not None
    assert f"listening on {info.url}" in out
    assert info.token not in out
    assert not Path("info.json").exists()


def test_server_addresses_are_messages(cli: Cli, sound_system: FakeSoundDevice) -> None:
    code, out, _ = cli("live", "good.yaml", *SHORT, "--http", "0", "--osc", "0")
    assert code == 0
    assert "message: listening on http://127.0.0.1:" in out
    assert "message: listening on OSC 127.0.0.1:" in out


def test_session_error_becomes_exit_code(
    cli: Cli, sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voicegraph.graph.errors import SignalError, StateError
    from voicegraph.graph.live.session import LiveSession

    for error in (SignalError, StateError):

        def fails(self: LiveSession, error: Any = error) -> None:
            from voicegraph.graph.errors import Problem

            raise error(Problem("not-finite", "NaN in node f0"))

        monkeypatch.setattr(LiveSession, "_run_loop", fails)
        code, _, err = cli("live", "good.yaml")
        assert code == error.exit_code
        assert "NaN in node f0" in err


def test_summary_praises_a_session_without_events_only(status: LiveStatus) -> None:
    good = "no block was late or dropped, no device lost audio, no node failed"
    assert command._summary(status).splitlines() == [
        "0:01 min; 99 of 100 blocks took 2 of 20 ms or less", good,
    ]  # fmt: skip
    health = LiveHealth(events=["the output device ran dry (underrun) 33 times"])
    told = command._summary(status.model_copy(update={"health": health}))
    assert good not in told
    assert "! the output device ran dry (underrun) 33 times" in told


# ---- how it ends --------------------------------------------------------------------------------


@pytest.mark.parametrize("number", SIGNALS)
def test_termination_signal_stops_the_session(number: int) -> None:
    asked = threading.Event()
    session: Any = SimpleNamespace(request_stop=asked.set)
    whole = signal.signal(number, signal.SIG_DFL)  # tests themselves may run under nohup
    try:
        with command._stopped_by(session, None):
            signal.raise_signal(number)
            assert asked.wait(5)
        assert signal.getsignal(number) is signal.SIG_DFL
    finally:
        signal.signal(number, whole)


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="only POSIX has SIGHUP")
def test_ignored_hangup_stays_ignored() -> None:
    session: Any = SimpleNamespace(request_stop=lambda: None)
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with command._stopped_by(session, None):
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGHUP, before)


def test_ctrl_c_ends_with_exit_code_0(
    cli: Cli, sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    from voicegraph.app.tui import line_output

    def pressed(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(line_output, "pause", pressed)
    code, out, err = cli("live", "good.yaml")
    assert code == 0
    assert "stopped" in out
    assert "no sound was processed" in err
    assert all(stream.closed for stream in sound_system.streams)


# ---- what is wrong ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["nixda"], 2, "no shipped pipeline"),
        (["missing.yaml"], 2, "missing.yaml"),
        (["bad.yaml"], 2, "bad.yaml:3:14"),
        (["good.yaml", "--set", "nodes.low.use=dsp.gian"], 2, "fix: --set nodes.low.use=dsp.gain"),
        (["good.yaml", "--set", "output=$db"], 2, "output"),
        (["good.yaml", "--profile", "loud"], 2, "quiet"),
        (["good.yaml", "--b", "nodes.low.use=dsp.gian"], 2, "dsp.gain"),
        (["good.yaml", "--b", "nodes.low"], 2, "--b nodes.low"),
        (["good.yaml", "--b", "block=20ms"], 7, "the block cannot change"),
        (["good.yaml", "--silence-opens", "-60", "--silence-closes", "-50"], 2,
         "must be below --silence-opens"),
        (["good.yaml", "--silence", "maybe"], 2, "--silence"),
        (["good.yaml", "--margin", "-1ms"], 2, "--margin"),
        (["good.yaml", "--silence-hold", "-1s"], 2, "--silence-hold"),
        (["good.yaml", "--duration", "-1s"], 2, "--duration"),
        (["good.yaml", "--room", "-1ms"], 2, "--room"),
        (["good.yaml", "--buffers", "-1ms"], 2, "--buffers"),
        (["good.yaml", "--input", "nobody"], 5, "no device that records has 'nobody' in its name"),
        (["good.yaml", "--output", "9"], 5, "there is no device 9: they go from 0 to 2"),
        (["good.yaml", "--input", "1"], 5, "device 1 (Loudspeaker) has no input"),
        (["good.yaml", "--output", "e"], 5, "'e' is part of the names of 2 devices that play"),
        (["good.yaml", "--input-rate", "12345"], 5, "no whole number of samples"),
        (["good.yaml", "--input-rate", "96000"], 5, "does not take 96000 Hz for input"),
        (["good.yaml", "--input-rate", "0"], 2, "--input-rate"),
        (["good.yaml", "--output-channels", "6"], 5, "has 2 channels for output, not 6"),
        (["good.yaml", "--exclusive"], 5, "exclusive use is WASAPI's"),
        (["good.yaml", "--input-select", "1"], 5, "ASIO and Core Audio choose channels"),
        (["good.yaml", "--output-select", "left"], 2, "not a list of channels, such as 1,2"),
        (["good.yaml", "--record", "there.jsonl"], 4, "there.jsonl exists"),
        (["good.yaml", "--record", "good.yaml/talk.jsonl"], 4, "cannot be written"),
        (["good.yaml", "--record", "talk.wav"], 4, "that extension is for the audio"),
        (["good.yaml", "--http", "0.0.0.0:8765"], 1, "needs a token"),
        (["good.yaml", "--http", "0.0.0.0:8765", "--token", "short"], 1, "at least 16"),
        (["good.yaml", "--http", "port"], 1, "--http"),
        (["good.yaml", "--osc", "0.0.0.0:9010"], 1, "OSC has no authentication"),
        (["good.yaml", "--osc-feedback", "127.0.0.1:9011"], 1, "needs OSC, which is off"),
    ],
)  # fmt: skip
def test_wrong_options_open_no_device(
    cli: Cli,
    place: Path,
    sound_system: FakeSoundDevice,
    arguments: list[str],
    code: int,
    said: str,
) -> None:
    sound_system.rates[0] = {44100, 48000, 12345}
    (place / "there.jsonl").write_text("precious", encoding="utf-8")
    found, out, err = cli("live", *arguments, *(SHORT if "--duration" not in arguments else ()))
    assert found == code, err
    assert said in _words(err)
    assert out == ""
    assert all(stream.closed for stream in sound_system.streams)
    assert (place / "there.jsonl").read_text(encoding="utf-8") == "precious"
    assert {path.name for path in place.iterdir()} == {"good.yaml", "bad.yaml", "there.jsonl"}


def test_busy_device_is_reported(cli: Cli, sound_system: FakeSoundDevice) -> None:
    sound_system.busy = {0}
    code, _, err = cli("live", "good.yaml")
    assert code == 5
    assert "Microphone takes no input now: busy, or gone" in err
    assert "fix: close the program that uses it" in err


def test_no_device_is_reported(cli: Cli, sound_system: FakeSoundDevice) -> None:
    sound_system.devices.clear()
    code, _, err = cli("live", "good.yaml")
    assert code == 5
    assert "there is no sound device that records" in err
    assert "voicegraph devices" in err
    assert json.loads(cli("live", "good.yaml", "--json")[1])["problems"][0]["code"] == "no-device"


def test_pipeline_without_audio_is_refused(
    cli: Cli, place: Path, sound_system: FakeSoundDevice
) -> None:
    text = "block: 20ms\ninput: {rate: 16000}\nnodes:\n  f0: {use: f0.dio, in: input}\noutput: f0\n"
    (place / "pitch.yaml").write_text(text, encoding="utf-8")
    code, _, err = cli("live", "pitch.yaml")
    assert code == 2
    assert "pitch.yaml:5:9" in err
    assert "a loudspeaker takes audio" in err


def test_used_network_port_is_reported(cli: Cli, sound_system: FakeSoundDevice) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, err = cli("live", "good.yaml", "--http", str(taken.getsockname()[1]))
    assert code == 1
    assert "--http" in err
    assert all(stream.closed for stream in sound_system.streams)


def test_help_does_not_need_sounddevice(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--help"]) == 0
    assert "--push-to-talk" in capsys.readouterr().out
