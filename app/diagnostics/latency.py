"""Measures the delay of a pipeline on a pair of devices, by sending a sound through."""

from __future__ import annotations

import threading
from collections.abc import Callable
from statistics import median

import numpy as np

from voicegraph.graph.errors import DeviceError, Problem
from voicegraph.graph.live.devices.audio_backend import OpenDevice
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.setup import LiveSetup
from voicegraph.graph.live.status import live_latency
from voicegraph.graph.metrics.benchmark import describe_machine
from voicegraph.schemas.latency_measurement import DelayRun, LatencyMeasurement

from ._loopback_probe import LoopbackProbe, test_signal
from ._reference_response import reference_response

_STARTS_S = 20.0
_RUNS_S = 1.0
"""Seconds that the session runs before anything is measured."""
_LISTENS_S = 2.0
"""Seconds that are listened to, besides the delay that is expected."""
_SURE = 0.2
"""Below, nothing has come back: see ``probing.find``."""


def measure_latency(
    setup: LiveSetup, margin_s: float, runs: int = 3, tell: Callable[[str], None] | None = None
) -> LatencyMeasurement:
    """Runs a live session, and measures it through a cable from output to input.

    Args:
        setup: devices and pipeline.
        margin_s: the driver's reserve, in seconds.
        runs: how often; the figures are medians.
        tell: is told what is going on.

    Raises:
        DeviceError: if a device fails, or nothing comes back from output to input.
        VoicegraphError: if the pipeline fails.
    """
    from voicegraph.graph.live.factory import LiveOptions

    session = setup.plan.session()
    try:
        rate = int(setup.input.format.rate)
        answer = reference_response(setup.plan, test_signal(rate), rate)
        card = LoopbackProbe(setup.open_card())
    except BaseException:
        session.close()
        raise
    live = LiveSession(session, card, LiveOptions(margin_s=margin_s))
    try:
        live.start()
        _wait(live)
        say = tell or (lambda _: None)
        found = [_one(live, card, answer, say, f"{n + 1} of {runs}") for n in range(runs)]
        return _report(live, found)
    finally:
        live.stop()


def _wait(live: LiveSession) -> None:
    """Until sound goes through, and a while longer.

    Raises:
        VoicegraphError: what ended the session, if anything did.
    """
    nap = threading.Event()
    waited = 0.0
    while live.state != "running" and not live.stopped.is_set() and waited < _STARTS_S:
        nap.wait(0.05)
        waited += 0.05
    live.stopped.wait(_RUNS_S)
    if live.error is not None:
        raise live.error
    if live.state != "running":
        text = f"no sound went through within {_STARTS_S:.0f} s: {live.card.lost or 'still silent'}"
        raise DeviceError(Problem("no-sound", text, fix="try other devices: voicegraph devices"))


def _one(
    live: LiveSession,
    card: LoopbackProbe,
    answer: np.ndarray,
    tell: Callable[[str], None],
    number: str,
) -> DelayRun:
    expected_s = 1e-3 * live_latency(live).expected_ms
    listens = _LISTENS_S + expected_s
    signal = test_signal(card.output.rate)
    tell(f"{number}: through the devices")
    device, sure = card.through_devices(signal, listens).latency(
        test_signal(card.input.rate), card.input.rate
    )
    _check(live, card, sure)
    tell(f"{number}: through the pipeline")
    whole, also = _whole(live, card, answer, listens)
    _check(live, card, also, came_back=True)
    return DelayRun(device_ms=1e3 * device, whole_ms=1e3 * whole, sure=min(sure, also))


def _whole(
    live: LiveSession, card: LoopbackProbe, answer: np.ndarray, seconds: float
) -> tuple[float, float]:
    """Seconds from sound in to sound out, and how sure that is.

    By the pipeline's answer; where that is not found, by the signal itself.
    """
    rate, plan = card.input.rate, live.session.plan
    heard = test_signal(rate)
    arrival = card.through_engine(heard, seconds, plan.samples_in)
    # The answer lies where the signal does: what it is late by is all of the delay.
    found = arrival.answered(answer, rate)
    return found if found[1] >= _SURE else arrival.latency(heard, rate)


def _check(live: LiveSession, card: LoopbackProbe, sure: float, came_back: bool = False) -> None:
    """``came_back`` says that the signal itself was found, so that devices are connected."""
    if live.error is not None:
        raise live.error
    if card.lost is not None:
        text = f"{card.lost}, in the middle of the measurement"
        raise DeviceError(Problem("device-lost", text, fix="plug it in, and measure again"))
    if sure >= _SURE:
        return
    if came_back:
        raise DeviceError(_not_recognised(live))
    text = f"nothing came back from {card.output.name} to {card.input.name}"
    notes = (("the test signal goes from output to input, through a cable or the air", None),)
    fix = "connect output and input by a cable, or hold the microphone to the loudspeaker"
    raise DeviceError(Problem("no-loopback", text, notes=notes, fix=fix))


def _not_recognised(live: LiveSession) -> Problem:
    name = live.session.plan.name
    text = f"what {name} made of the test signal was not recognised in what came back"
    notes = [
        (
            "the signal is four bursts of a vowel-like tone; a gate, or a voice that is as loud "
            "whatever it hears, leaves nothing of them to find",
            None,
        )
    ]
    if live.loop.counts.late:
        notes.append((f"{live.loop.counts.late} blocks were late, which cuts it to pieces", None))
    fix = "voicegraph latency --dry measures devices and buffering without the pipeline"
    return Problem("no-answer", text, notes=tuple(notes), fix=fix)


def _report(live: LiveSession, runs: list[DelayRun]) -> LatencyMeasurement:
    plan = live.session.plan
    declared = live_latency(live)
    total = live.session.timings()["total"]
    return LatencyMeasurement(
        pipeline=plan.name,
        input=_named(live.card.input),
        output=_named(live.card.output),
        machine=describe_machine(),
        block_ms=1e3 * float(plan.block),
        algorithmic_ms=declared.algorithmic_ms,
        buffering_ms=declared.buffering_ms,
        device_claimed_ms=declared.device_ms,
        device_ms=median(run.device_ms for run in runs),
        measured_ms=median(run.whole_ms for run in runs),
        runs=runs,
        compute_median_ms=total.median_ms,
        compute_p99_ms=total.p99_ms,
        late=live.loop.counts.late,
    )


def _named(end: OpenDevice) -> str:
    channels = "mono" if end.channels == 1 else f"{end.channels} channels"
    return f"{end.name}, {end.rate} Hz, {channels}"
