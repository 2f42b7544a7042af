"""Measures the latency of a pipeline on a pair of devices, by a test signal."""

from __future__ import annotations

import threading
from collections.abc import Callable
from statistics import median

import numpy as np

from voicegraph.graph.errors import DeviceError, Problem
from voicegraph.graph.live.devices.audio_backend import OpenDevice
from voicegraph.graph.live.factory import LiveOptions
from voicegraph.graph.live.session import LiveSession
from voicegraph.graph.live.setup import LiveSetup
from voicegraph.graph.live.status import live_latency
from voicegraph.graph.metrics.benchmark import describe_machine
from voicegraph.graph.startup_stages import end_stages
from voicegraph.schemas.latency_measurement import DelayRun, LatencyMeasurement

from ._loopback_probe import LoopbackProbe
from ._probe_signal import probe_signal
from ._reference_response import reference_response

_STARTS_S = 20.0
_RUNS_S = 1.0
"""Seconds that the session runs before the measurement."""
_RECORDS_S = 2.0
"""Seconds that are recorded in addition to the expected latency."""
_CONFIDENT = 0.2
"""Confidence below which the signal was not found; see ``find_signal``."""


def measure_latency(
    setup: LiveSetup,
    options: LiveOptions,
    runs: int = 3,
    tell: Callable[[str], None] | None = None,
) -> LatencyMeasurement:
    """Runs a live session, and measures its latency over a cable from output to input.

    Args:
        setup: devices and pipeline.
        options: of the live session: reserve, constant delay.
        runs: number of measurements; the figures are medians.
        tell: is called with messages of progress.

    Raises:
        DeviceError: if a device fails, or the signal does not return from output to input.
        VoicegraphError: if the pipeline fails.
    """
    session = setup.plan.session(write_files=False)
    end_stages()
    try:
        rate = int(setup.input.format.rate)
        response = reference_response(setup.plan, probe_signal(rate), rate)
        card = LoopbackProbe(setup.open_card())
        live = LiveSession(session, card, options)
    except BaseException:
        session.close()
        raise
    try:
        live.start()
        _wait(live)
        say = tell or (lambda _: None)
        found = [_one(live, card, response, say, f"{n + 1} of {runs}") for n in range(runs)]
        return _report(live, found)
    finally:
        live.stop()


def _wait(live: LiveSession) -> None:
    """Waits until blocks are processed, and a while longer.

    Raises:
        VoicegraphError: if the session has failed.
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
    response: np.ndarray,
    tell: Callable[[str], None],
    number: str,
) -> DelayRun:
    expected_s = 1e-3 * live_latency(live).expected_ms
    listens = _RECORDS_S + expected_s
    signal = probe_signal(card.output.rate)
    tell(f"{number}: through the devices")
    device, sure = card.through_devices(signal, listens).latency(
        probe_signal(card.input.rate), card.input.rate
    )
    _check(live, card, sure)
    tell(f"{number}: through the pipeline")
    whole, also = _whole(live, card, response, listens)
    _check(live, card, also, came_back=True)
    return DelayRun(device_ms=1e3 * device, whole_ms=1e3 * whole, sure=min(sure, also))


def _whole(
    live: LiveSession, card: LoopbackProbe, response: np.ndarray, seconds: float
) -> tuple[float, float]:
    """Seconds from input to output, and confidence 0..1.

    Looks for the reference response of the pipeline; if that is not found, for the signal itself.
    """
    rate, plan = card.input.rate, live.session.plan
    signal = probe_signal(rate)
    recording = card.through_engine(signal, seconds, plan.samples_in)
    # The reference response is aligned with the signal, so its delay is the whole latency.
    found = recording.response_latency(response, rate)
    return found if found[1] >= _CONFIDENT else recording.latency(signal, rate)


def _check(live: LiveSession, card: LoopbackProbe, sure: float, came_back: bool = False) -> None:
    """``came_back``: the signal itself returned over the cable, so the devices are connected."""
    if live.error is not None:
        raise live.error
    if card.lost is not None:
        text = f"{card.lost}, in the middle of the measurement"
        raise DeviceError(Problem("device-lost", text, fix="plug it in, and measure again"))
    if sure >= _CONFIDENT:
        return
    if came_back:
        raise DeviceError(_not_recognised(live))
    text = f"nothing came back from {card.output.name} to {card.input.name}"
    notes = (("the test signal goes from output to input, through a cable or the air", None),)
    fix = "connect output and input by a cable, or hold the microphone to the loudspeaker"
    raise DeviceError(Problem("no-loopback", text, notes=notes, fix=fix))


def _not_recognised(live: LiveSession) -> Problem:
    name = live.session.plan.name
    text = f"the output of {name} was not recognised in the recorded input"
    notes = [
        (
            "the test signal is four bursts of a vowel-like tone; a gate, or a voice of constant "
            "loudness, leaves nothing of them to find",
            None,
        )
    ]
    if late := live.loop.counts.late:
        notes.append((f"{late} blocks were late (overruns), which cuts the signal to pieces", None))
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
