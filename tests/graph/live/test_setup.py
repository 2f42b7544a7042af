"""Setup of a live session: devices, formats, latency, recording."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from voicegraph.graph.errors import DeviceError, OutputError, PipelineError
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.live.setup import DeviceRequest, LiveSetup, set_up_live
from voicegraph.graph.pipeline import Pipeline, node

from ...fake_sounddevice import FakeSoundDevice


def _pipeline(rate: int = 48000, channels: int = 1, /, **more: Any) -> Pipeline:
    nodes = {"pass": node("dsp.gain", "input"), **more}
    source = {"rate": rate, "channels": channels}
    return Pipeline(block="20ms", input=source, nodes=nodes, output=next(reversed(nodes)))


def _names(setup: LiveSetup) -> list[str]:
    return [planned.name for planned in setup.plan.nodes]


def test_defaults_open_the_default_devices(sound_system: FakeSoundDevice) -> None:
    setup = set_up_live(_pipeline(), DeviceRequest(), DeviceRequest())
    assert (setup.input.device.name, setup.output.device.name) == ("Microphone", "Loudspeaker")
    assert (setup.input.format.rate, setup.output.format.rate) == (48000, 48000)
    assert _names(setup) == ["pass"]


def test_nodes_convert_formats_that_devices_lack(sound_system: FakeSoundDevice) -> None:
    sound_system.rates = {0: {44100}, 1: {48000}}
    sound_system.devices[0]["default_samplerate"] = 44100.0
    setup = set_up_live(_pipeline(16000, 2), DeviceRequest(), DeviceRequest(channels=1))
    assert (setup.input.format.rate, setup.input.format.channels) == (44100, 1)
    assert (setup.output.format.rate, setup.output.format.channels) == (48000, 1)
    assert {"input.resample", "input.to_stereo", "output.resample", "output.to_mono"} <= set(
        _names(setup)
    )
    plan = setup.plan
    assert (plan.samples_in, plan.samples_out) == (882, 960)
    assert plan.latency.algorithmic > 0


def test_one_device_opens_at_one_rate(sound_system: FakeSoundDevice) -> None:
    sound_system.rates[2] = {16000, 48000}
    # The pipeline gives 48 kHz, but takes 16 kHz: one clock is worth a resampler.
    up = {"up": node("dsp.resample", "pass", rate=48000)}
    setup = set_up_live(_pipeline(16000, **up), DeviceRequest("headset"), DeviceRequest("headset"))
    assert setup.input.format.rate == setup.output.format.rate == 16000
    assert setup.open_card().one_clock
    apart = set_up_live(
        _pipeline(16000), DeviceRequest("headset"), DeviceRequest("headset", rate=48000)
    )
    assert not apart.open_card().one_clock


def test_one_device_with_different_rates_is_two_streams(
    sound_system: FakeSoundDevice, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = sound_system._check

    def checked(side: str, **options: Any) -> None:
        if options["samplerate"] != {"input": 16000, "output": 48000}[side]:
            raise sound_system.error(-9997)
        check(side, **options)

    monkeypatch.setattr(sound_system, "_check", checked)
    setup = set_up_live(_pipeline(16000), DeviceRequest("headset"), DeviceRequest("headset"))
    assert (setup.input.format.rate, setup.output.format.rate) == (16000, 48000)
    assert not setup.open_card().one_clock


def test_pipeline_without_audio_output_is_refused(sound_system: FakeSoundDevice) -> None:
    pitch = {"low": node("dsp.resample", "input", rate=16000), "f0": node("f0.dio", "low")}
    with pytest.raises(PipelineError) as raised:
        set_up_live(_pipeline(**pitch), DeviceRequest(), DeviceRequest())
    problem = raised.value.problems[0]
    assert problem.code == "output-not-audio"
    assert "a loudspeaker takes audio" in problem.message
    assert problem.fix == "name an audio output"


def test_pipeline_mistakes_are_reported_before_devices() -> None:
    with pytest.raises(PipelineError):
        set_up_live(
            _pipeline(bad=node("dsp.gain", "nobody")), DeviceRequest("nobody"), DeviceRequest()
        )


def test_channel_selection_must_match_channel_count(sound_system: FakeSoundDevice) -> None:
    sound_system.apis = ["ASIO"]
    with pytest.raises(DeviceError) as raised:
        set_up_live(_pipeline(), DeviceRequest(), DeviceRequest(channels=1, select=(0, 1)))
    problem = raised.value.problems[0]
    assert problem.message == "--output-select names 2 channels, --output-channels 1"
    assert problem.fix == "leave out --output-channels"
    setup = set_up_live(_pipeline(), DeviceRequest(), DeviceRequest(select=(1,)))
    assert setup.output.format.channels == 1
    assert setup.output.settings.values == {"channel_selectors": [1]}


def test_latency_has_room_for_variant_and_request(
    sound_system: FakeSoundDevice,
) -> None:
    late = {"nodes.pass": node("dsp.limiter", "input")}
    setup = set_up_live(_pipeline(), DeviceRequest(), DeviceRequest(), variant=late)
    needed = _pipeline().changed(late).compile().latency.algorithmic
    assert setup.plan.latency.algorithmic == needed > 0
    more = set_up_live(
        _pipeline(), DeviceRequest(), DeviceRequest(), variant=late, room=Fraction(1, 10)
    )
    assert more.plan.latency.algorithmic == Fraction(1, 10)


# ---- opening ------------------------------------------------------------------------------------


def test_open_session_is_ready_to_start(sound_system: FakeSoundDevice, tmp_path: Path) -> None:
    setup = set_up_live(_pipeline(), DeviceRequest(), DeviceRequest(), buffers=0.04)
    live = setup.open_session(LiveOptions(margin_s=0.01), tmp_path / "talk.jsonl")
    kinds = [(s.kind, s.options["latency"], s.active) for s in sound_system.streams]
    assert kinds == [("input", 0.04, False), ("output", 0.04, False)]
    assert live.status().recording == str(tmp_path / "talk.jsonl")
    live.stop()
    assert all(stream.closed for stream in sound_system.streams)
    assert (tmp_path / "talk.out.wav").exists()


@pytest.mark.parametrize("name", ["talk.jsonl", "talk.in.wav", "talk.out.wav"])
def test_existing_recording_is_never_overwritten(
    sound_system: FakeSoundDevice, tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("precious")
    with pytest.raises(OutputError) as raised:
        set_up_live(_pipeline(), DeviceRequest(), DeviceRequest()).open_session(
            record=tmp_path / "talk.jsonl"
        )
    assert raised.value.problems[0].code == "exists"
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "precious"
    assert sound_system.streams == []


@pytest.mark.parametrize("busy", [0, 1])
def test_busy_device_leaves_no_files_or_sessions(
    sound_system: FakeSoundDevice, tmp_path: Path, busy: int
) -> None:
    setup = set_up_live(_pipeline(), DeviceRequest(), DeviceRequest())
    sound_system.busy = {busy}
    with pytest.raises(DeviceError) as raised:
        setup.open_session(record=tmp_path / "talk.jsonl")
    problem = raised.value.problems[0]
    assert problem.code == "device-busy"
    assert problem.message.startswith(["Microphone (recording)", "Loudspeaker (playing)"][busy])
    assert all(stream.closed for stream in sound_system.streams)
    assert list(tmp_path.iterdir()) == []
