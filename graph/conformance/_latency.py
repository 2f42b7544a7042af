"""Latency as measured, against the latency that a node declares.

A linear node that does not change with time has an impulse response, and its delay is where that
has its peak. A node that modulates (a ring modulator, a chorus, a pitch shifter) has none: of it
is measured when an impulse arrives at its output, at several moments of the modulation.
"""

from __future__ import annotations

import numpy as np

from ..runtime.session import Session
from ..signals import Audio
from ._harness import NODE, Case, plan, run, signal

_SECONDS = 1.6
_IMPULSES = 9
_SPACING_S = 0.17
"""No multiple of any usual block, so that impulses lie at different places of blocks."""
_FIRST_S = 0.05
_ARRIVED = 1e-3
"""Part of the loudest response at which an impulse has arrived: -60 dB."""
_TOLERANCE_SAMPLES = 1.5


def latency(case: Case) -> None:
    """For audio to audio, the delay that is measured is the declared latency.

    For a node that declares ``modulates``, the declared latency lies between the first and the
    last moment at which an impulse arrives.
    """
    made = plan(case)
    planned = made.find(NODE)
    ports = planned.node.declared
    first_in = next(iter(ports.inputs.values()), None)
    first_out = next(iter(ports.outputs.values()))
    if first_in is None or first_in.kind is not Audio or first_out.kind is not Audio:
        return
    given = next(iter(planned.given.values())).interval.end
    declared = float(max(made.latency.algorithmic + 0, -given))  # a delay asks for older input
    tolerance = _TOLERANCE_SAMPLES / min(float(made.output_type.rate), float(made.source.rate))
    with made.session(warm_up=False) as session:
        if case.cls.modulates:
            _check_arrival(case, session, declared, tolerance)
        else:
            _check_response(case, session, signal(made, _SECONDS), declared, tolerance)


def _check_response(
    case: Case, session: Session, audio: np.ndarray, declared: float, tolerance: float
) -> None:
    """Finds the impulse response by deconvolution.

    The peak of a correlation would also depend on the filter's frequency response and on the
    periodicity of the voice.
    """
    made = session.plan
    output = run(session, audio[None])[0].mean(0)
    rate = float(made.output_type.rate)
    count = output.size
    grid = np.arange(count) * float(made.source.rate) / rate
    dry = np.interp(grid, np.arange(audio.shape[1]), audio.mean(0))
    wet, dry = np.fft.rfft(output, 2 * count), np.fft.rfft(dry, 2 * count)
    power = np.abs(dry) ** 2
    response = np.fft.irfft(wet * np.conj(dry) / (power + 0.01 * power.mean()))
    measured = int(np.argmax(np.abs(response[:count]))) / rate
    assert abs(measured - declared) <= tolerance, (
        f"{case} declares a latency of {_ms(declared)}, measured {_ms(measured)}; a node whose "
        "effect changes with time (ring modulator, chorus, pitch shift) declares `modulates = True`"
    )


def _check_arrival(case: Case, session: Session, declared: float, tolerance: float) -> None:
    responses = _impulse_responses(session)
    loudest = responses.max(initial=0)
    assert loudest > 0, f"{case} is silent after each of {_IMPULSES} impulses"
    arrived = np.flatnonzero((responses > _ARRIVED * loudest).any(0))
    rate = float(session.plan.output_type.rate)
    first, last = float(arrived[0]) / rate, float(arrived[-1]) / rate
    assert first - tolerance <= declared <= last + tolerance, (
        f"{case} declares a latency of {_ms(declared)}, but an impulse arrives "
        f"{_ms(first)} to {_ms(last)} later"
    )


def _impulse_responses(session: Session) -> np.ndarray:
    """Magnitude of what each impulse adds to the output ``[impulses, samples]``, from its moment.

    What the node gives without an impulse, such as an oscillator, is not part of it.
    """
    made = session.plan
    rate_in, rate_out = float(made.source.rate), float(made.output_type.rate)
    seconds = _FIRST_S + _IMPULSES * _SPACING_S
    silence = np.zeros((1, made.source.channels, round(seconds * rate_in)), np.float32)
    audio = silence.copy()
    at = [round((_FIRST_S + n * _SPACING_S) * rate_in) for n in range(_IMPULSES)]
    audio[:, :, at] = 0.9
    expected = run(session, silence)
    session.reset()
    added = np.abs(run(session, audio) - expected)[0].max(0)
    starts = [round(sample / rate_in * rate_out) for sample in at]
    length = min(round(_SPACING_S * rate_out), added.size - starts[-1])
    return np.stack([added[start : start + length] for start in starts])


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms"
