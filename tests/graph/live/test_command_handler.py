"""Commands of a live session, on a simulated card."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from voicegraph.graph.errors import InputError, PipelineError, StateError
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.simulated_card import SimulatedDevice, Simulation
from voicegraph.graph.pipeline import Pipeline, node
from voicegraph.schemas.live_command import (
    COMMANDS,
    Bypass,
    ChooseProfile,
    ChooseVariant,
    ChooseVoice,
    LiveCommand,
    Monitor,
    Mute,
    SetParam,
    Stop,
    Swap,
    Talk,
)

CREST = 0.001
"""The crest of a sine of 440 Hz lies between two samples, and a fade leaves its last part."""
MIXED = 0.01
"""Two sines whose delays differ by less than a sample."""

RATE = 48000
SLOPE = 0.5 * 2 * np.pi * 440 / RATE
RAMP = np.pi / 2 / (0.005 * RATE)
"""Steepest change of a gain within a sample."""


class _Session:
    """A live session on a simulated card, and its output."""

    def __init__(self, live: LiveSession, played: Any, sound: Any) -> None:
        self.live, self.played = live, played
        end = SimulatedDevice(RATE, 480)
        live._commands.apply_options()
        self.simulation = Simulation(
            live.loop, end, end, sound, cost=lambda _: 0.001, played=played
        )
        self.simulation.run(3)

    def do(self, command: LiveCommand, seconds: float = 0.3) -> float:
        """Carries out a command and runs on; returns the level at the end."""
        self.live.command(command)
        deadline = time.monotonic() + 30
        while self.live.swap_worker.busy:
            assert time.monotonic() < deadline
            self.simulation.run(0.02)
            self.live.swap_worker.wait(0.004)
        self.simulation.run(seconds)
        return self.level

    @property
    def level(self) -> float:
        return float(np.abs(self.played.audio[-4800:]).max())

    @property
    def steepest(self) -> float:
        return float(np.abs(np.diff(self.played.audio[-RATE:])).max())


@pytest.fixture
def talk(make_live: Callable[..., LiveSession], played: Any, sine: Any) -> Callable[..., _Session]:
    def make(pipeline: Pipeline | None = None, **options: Any) -> _Session:
        return _Session(make_live(pipeline, **options), played, sine(440))

    return make


def test_param_changes_without_a_click(talk: Callable[..., _Session]) -> None:
    session = talk()
    assert session.level == pytest.approx(0.5, abs=CREST)
    assert session.do(SetParam(param="pass.db", value=-6)) == pytest.approx(0.25, abs=2 * CREST)
    assert session.steepest < SLOPE + 0.5 * RAMP
    [(tick, change)] = session.live.session.log
    assert (change.param, change.value) == ("pass.db", -6)
    assert 45 < tick < 55  # the clocks were watched for two of three seconds


def test_mute_and_unmute_without_a_click(talk: Callable[..., _Session]) -> None:
    session = talk()
    assert session.do(Mute(on=True)) == 0
    assert session.live.status().muted
    assert session.do(Mute(on=False)) == pytest.approx(0.5, abs=CREST)
    assert session.steepest < SLOPE + 0.5 * RAMP


def test_push_to_talk_gates_the_input(talk: Callable[..., _Session]) -> None:
    session = talk(push_to_talk=True)
    assert not session.played.audio.any()  # not even the beginning
    assert session.do(Talk(on=True)) == pytest.approx(0.5, abs=CREST)
    assert session.live.status().talking
    assert session.do(Talk(on=False)) == 0
    assert not session.live.status().talking
    assert session.steepest < SLOPE + 0.5 * RAMP


def test_talk_without_push_to_talk_is_refused(talk: Callable[..., _Session]) -> None:
    with pytest.raises(StateError) as raised:
        talk().do(Talk(on=False))
    assert raised.value.problems[0].fix == "start the session with --push-to-talk"


def test_monitor_adds_and_removes_the_input(talk: Callable[..., _Session]) -> None:
    nodes = {"pass": node("dsp.gain", "input", db=-6)}
    pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="pass")
    session = talk(pipeline, monitor=True)
    assert session.level == pytest.approx(0.75, abs=MIXED)
    assert session.live.status().monitor
    assert session.do(Monitor(on=False)) == pytest.approx(0.25, abs=MIXED)
    assert session.do(Monitor(on=True)) == pytest.approx(0.75, abs=MIXED)
    session.do(Mute())
    assert session.level == pytest.approx(0.5, abs=MIXED)


def test_bypass_and_undo_without_a_click(talk: Callable[..., _Session]) -> None:
    nodes = {"low": node("dsp.gain", "input", db=-12), "end": node("dsp.gain", "low")}
    session = talk(Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="end"))
    assert session.level == pytest.approx(0.1256, abs=CREST)
    assert session.do(Bypass(node="low")) == pytest.approx(0.5, abs=CREST)
    assert [load.name for load in session.live.status().nodes if load.bypassed] == ["low"]
    assert session.do(Bypass(node="low", on=False)) == pytest.approx(0.1256, abs=CREST)
    assert session.steepest < SLOPE + 0.5 * RAMP
    with pytest.raises(PipelineError, match="lwo"):
        session.do(Bypass(node="lwo"))


def test_swap_succeeds_or_is_refused(talk: Callable[..., _Session]) -> None:
    session = talk()
    session.do(Swap(overrides={"nodes.pass.use": "dsp.highpass"}))
    assert session.live.session.plan.nodes[0].use == "dsp.highpass"
    assert session.live.messages.texts[-1] == "changed: nodes.pass.use=dsp.highpass"
    with pytest.raises(StateError) as raised:
        session.do(Swap(overrides={"nodes.pass.use": "dsp.limiter"}))
    assert raised.value.problems[0].code == "more-latency"
    with pytest.raises(StateError) as raised:
        session.do(Swap(overrides={"block": "40ms"}))
    assert raised.value.problems[0].code == "other-block"
    assert session.live.session.plan.nodes[0].use == "dsp.highpass"


PROFILES = {
    "quiet": {"nodes.pass.params.db": -12.0},
    "thin": {"nodes.pass.use": "dsp.highpass"},
    "long": {"block": "40ms"},
}


def test_profiles_are_listed_and_switched(talk: Callable[..., _Session]) -> None:
    nodes = {"pass": node("dsp.gain", "input"), "end": node("dsp.gain", "pass")}
    pipeline = Pipeline(
        block="20ms", input={"rate": RATE}, nodes=nodes, output="end", profiles=PROFILES
    )
    session = talk(pipeline)
    status = session.live.status()
    assert (status.profiles, status.active_profiles) == (["quiet", "thin", "long"], [])
    session.do(Swap(overrides={"nodes.end.params.db": -6.0, "nodes.pass.params.db": -1.0}))
    # The profile takes precedence over the earlier change of its param, and keeps the other.
    assert session.do(ChooseProfile(name="quiet")) == pytest.approx(0.0629, abs=CREST)
    assert session.live.status().active_profiles == ["quiet"]
    session.do(ChooseProfile(name="thin"))
    assert session.live.session.plan.find("pass").use == "dsp.highpass"
    assert session.live.session.get("end.db") == -6.0
    assert session.do(ChooseProfile()) == pytest.approx(0.25, abs=2 * CREST)
    assert session.live.status().active_profiles == []


def test_unknown_or_unfitting_profile_is_refused(talk: Callable[..., _Session]) -> None:
    nodes = {"pass": node("dsp.gain", "input")}
    pipeline = Pipeline(
        block="20ms", input={"rate": RATE}, nodes=nodes, output="pass", profiles=PROFILES
    )
    session = talk(pipeline)
    with pytest.raises(PipelineError) as raised:
        session.do(ChooseProfile(name="quite"))
    [problem] = raised.value.problems
    assert problem.message == (
        "the pipeline has no profile 'quite'; its profiles: quiet, thin, long"
    )
    assert problem.fix == "quiet"
    with pytest.raises(StateError, match="the block cannot change"):
        session.do(ChooseProfile(name="long"))
    assert session.live.status().active_profiles == []


def test_swap_takes_effect_while_silence_is_skipped(talk: Callable[..., _Session]) -> None:
    nodes = {"pass": node("dsp.gain", "input")}
    pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="pass")
    session = talk(pipeline, silence="skip", hold_s=0.1, opens_db=10.0, closes_db=5.0)
    assert session.live.loop.skipping
    session.do(Swap(overrides={"nodes.pass.use": "dsp.highpass"}))
    assert session.live.session.plan.find("pass").use == "dsp.highpass"
    assert session.live.loop.skipping


def test_variant_command_needs_two_variants(talk: Callable[..., _Session]) -> None:
    with pytest.raises(StateError) as raised:
        talk().do(ChooseVariant())
    assert raised.value.problems[0].fix == "start the session with --b PATH=VALUE"


def test_stop_command_requests_the_end(talk: Callable[..., _Session]) -> None:
    session = talk()
    session.live.command(Stop())
    assert session.live.stopping


def test_talk_key_mutes_the_block_before_onset(
    make_live: Callable[..., LiveSession], played: Any
) -> None:
    def words(start: int, count: int) -> np.ndarray:
        """Quiet noise, loud from 5 s on."""
        at = np.arange(start, start + count)
        noise = np.random.default_rng(start).uniform(-1, 1, count)
        return (np.where(at < 5 * RATE, 1e-3, 0.5) * noise).astype(np.float32)[:, None]

    nodes = {"pass": node("dsp.gain", "input", db=60)}
    pipeline = Pipeline(block="20ms", input={"rate": RATE}, nodes=nodes, output="pass")
    live = make_live(pipeline, silence="skip", hold_s=0.2, push_to_talk=True)
    session = _Session(live, played, words)
    session.simulation.run(5)
    assert live.loop.counts.skipped > 20
    assert not live.loop.skipping
    assert not played.audio.any()


def test_every_command_is_parsed_by_name() -> None:
    names = ["set", "bypass", "swap", "profile", "variant", "mute", "talk", "monitor", "stop"]
    needs = {"set": {"param": "a.b", "value": 1}, "bypass": {"node": "a"},
             "swap": {"overrides": {"a": 1}}}  # fmt: skip
    for name in names:
        assert COMMANDS.validate_python({"do": name, **needs.get(name, {})}).do == name


def test_voice_is_changed_by_its_name(make_live: Any, played: Any, sine: Any) -> None:
    nodes = {"pass": node("dsp.gain", "input")}
    keys: dict[str, Any] = {"input": {"rate": RATE}, "vars": {"voice": "heart"}}
    live = make_live(Pipeline(block="20ms", nodes=nodes, output="pass", **keys))
    session = _Session(live, played, sine(440))
    assert live.status().voice == "heart"
    session.do(ChooseVoice(name="michael"))
    assert live.status().voice == "michael"
    assert live.messages.texts[-1] == "changed: voice michael"
    with pytest.raises(InputError, match="no voice called 'nobody'"):
        live.command(ChooseVoice(name="nobody"))
    assert live.status().voice == "michael"


def test_pipeline_without_a_voice_refuses_one(make_live: Any, played: Any, sine: Any) -> None:
    session = _Session(make_live(), played, sine(440))
    with pytest.raises(PipelineError, match="has no var `voice`"):
        session.live.command(ChooseVoice(name="michael"))
