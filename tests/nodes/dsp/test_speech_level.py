"""``dsp.speech_level``: speech in noise is as loud as without it, and pauses are silent."""

from __future__ import annotations

import functools
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from voicegraph.experiments import conditions
from voicegraph.graph import conformance
from voicegraph.graph.pipeline import Pipeline
from voicegraph.nodes.dsp.hann_power import HannPower
from voicegraph.nodes.dsp.speech_level_block import FLOOR_DB
from voicegraph.nodes.dsp.speech_level_network import HOP, RATE, WINDOW

from ...tolerance import assert_close, decibels
from ..exported import differences, exported

pytestmark = pytest.mark.numeric

RECORDING = Path(__file__).parents[3] / "pipelines/audio/librispeech-8088-284756-0000.flac"
EXPORTED = decibels(1e-3, "transforms in real arithmetic; far below what is heard")

test_conformance = conformance.suite("dsp.speech_level")


SPEECH = {"use": "dsp.speech_level", "in": "input"}
KNOWN = {"use": "dsp.loudness", "in": {"audio": "input", "speech": "speech"}}
SUBTRACTED = {"use": "dsp.loudness", "in": "input"}


def _output(audio: np.ndarray, **nodes: Any) -> np.ndarray:
    """Of the last node, a value each 10 ms."""
    plan = Pipeline(
        block="40ms", input={"rate": RATE}, nodes=nodes, output=list(nodes)[-1]
    ).compile()
    with plan.session(warm_up=False) as session:
        found = np.concatenate([session.push(audio.astype(np.float32)), session.flush()])
    return found.reshape(-1)[plan.latency_out :][: len(audio) // HOP]


def _level(audio: np.ndarray) -> np.ndarray:
    return _output(audio, speech=SPEECH)


@functools.cache
def _speech() -> np.ndarray:
    audio, rate = soundfile.read(RECORDING, dtype="float32", frames=8 * RATE)
    assert rate == RATE
    return audio


def _heard(**condition: object) -> np.ndarray:
    asked, params = conditions.ask(condition)
    return conditions.apply(asked, params, _speech(), RATE, 1, "speech")[0]


def _total(audio: np.ndarray) -> np.ndarray:
    """Level of all that is heard."""
    power = HannPower(0, len(audio) // HOP, Fraction(RATE), RATE // HOP)
    padded = np.pad(audio, (WINDOW // 2, WINDOW))
    return 10 * np.log10(power(torch.from_numpy(padded)[None])[0].numpy() + 1e-12)


def _parts() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Frames with speech, with weak speech, and pauses, of the clean recording."""
    below = np.percentile(_total(_speech()), 95) - _total(_speech())
    return below < 20, (below > 14) & (below < 30), below > 45


def test_clean_speech_keeps_its_level() -> None:
    speech, _, _ = _parts()
    wrong = (_level(_speech()) - _total(_speech()))[speech]
    assert np.abs(wrong).mean() < 2.5
    assert (wrong <= 0.01).all(), "speech is never louder than all that is heard"


@pytest.mark.parametrize(("colour", "snr"), [("pink", 5), ("white", 5), ("speech", 10)])
def test_noise_is_taken_off(colour: str, snr: float) -> None:
    audio, (speech, weak, _) = _heard(noise=colour, snr=snr), _parts()
    found, total, clean = _level(audio), _total(audio), _total(_speech())
    assert np.abs(found - clean)[speech].mean() < 3
    assert np.abs(found - clean)[weak].mean() < 0.7 * np.abs(total - clean)[weak].mean()


def test_pauses_in_noise_are_silent() -> None:
    _, _, pause = _parts()
    found = _level(_heard(noise="pink", snr=20))
    assert np.median(found[pause]) < np.percentile(found, 95) - 45


def test_a_room_is_taken_off() -> None:
    audio, (_, _, pause) = _heard(room={"t60": "600ms", "distance": "1m"}), _parts()
    total, found = _total(audio), _level(audio)
    assert (total - found)[pause].mean() > 10


@pytest.mark.parametrize("gain", [0.02, 4.0])
def test_the_input_may_be_quiet_or_loud(gain: float) -> None:
    once, again = _level(_speech()), _level(gain * _speech())
    speech, _, _ = _parts()
    wrong = np.abs(again - 20 * np.log10(gain) - once)[speech]
    assert np.median(wrong) < 0.1
    assert wrong.max() < 3, "where the quietest frames count as silence or not"


def test_digital_silence_is_the_floor() -> None:
    assert (_level(np.zeros(2 * RATE)) == FLOOR_DB).all()
    found = _level(np.concatenate([np.zeros(RATE), _speech()]))
    assert (found[: RATE // HOP - 4] == FLOOR_DB).all()


def test_speech_in_noise_is_normalised() -> None:
    audio = np.tile(_heard(noise="pink", snr=10), 2)
    found = _output(audio, speech=SPEECH, level=KNOWN)
    assert np.percentile(found[len(found) // 2 :], 95) == pytest.approx(-21, abs=3)


def test_weak_consonants_in_noise_are_not_cut_off() -> None:
    """As they are where one level is taken for the noise."""
    audio, (_, weak, _) = _heard(noise="pink", snr=10), _parts()
    found, cut = (
        _output(audio, **nodes)[weak] > -60
        for nodes in ({"speech": SPEECH, "level": KNOWN}, {"level": SUBTRACTED})
    )
    assert cut.mean() < 0.5
    assert found.mean() > 0.8


@pytest.mark.parametrize("params", [{}, {"lookahead": "10ms"}])
def test_export_is_the_stream_from_its_beginning_on(params: dict[str, Any]) -> None:
    plan = Pipeline(
        block="40ms",
        input={"rate": RATE},
        nodes={"speech": {**SPEECH, "params": params}},
        output="speech",
    ).compile()
    assert_close(differences(exported(plan, "speech"), 30), np.zeros(30), EXPORTED)
