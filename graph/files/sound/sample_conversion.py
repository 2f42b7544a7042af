"""Converts audio in memory as :mod:`~.file_conversion` converts files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import numpy as np

from voicegraph.schemas.engine_setup import EngineSetup

from ...runtime.port_series import PortRecorder, PortSeries
from ...signals import Audio
from ._conversion_chain import ConversionChain
from .input_conversion import ConversionPlan


@dataclass(frozen=True, slots=True)
class ConvertedSamples:
    """What a conversion gave.

    Attributes:
        samples: float32 ``[channels, samples]``, time-aligned with the input and equally long.
        type: rate and channels.
        taps: values of ports; time 0 is the first input sample.
        silenced: blocks in which NaN or infinity was replaced by silence.
        precisions: what each node computed in.
    """

    samples: np.ndarray
    type: Audio
    taps: Mapping[str, PortSeries]
    silenced: int
    precisions: Mapping[str, str]


def convert_samples(
    plan: ConversionPlan,
    samples: np.ndarray,
    source: Audio,
    *,
    taps: Sequence[str] = (),
    setup: EngineSetup | None = None,
) -> ConvertedSamples:
    """Converts audio as ``voicegraph run`` does, without warm-up, workers and files of nodes.

    Args:
        plan: the plans for audio of type ``source``; weights are loaded once, and stay loaded.
        samples: float32 ``[channels, samples]``.
        source: its type.
        taps: ports whose values are wanted.
        setup: threads, and the precision of nodes with ``dtype: auto``.

    Raises:
        NodeFailedError: if a node fails, with the second at which it did.
        SignalError: if NaN or infinity appears and the pipeline's policy is ``error``.
        VoicegraphError: if weights are missing or wrong, or the plan has no such port.
    """
    main = plan.plan
    recorders = {tap: PortRecorder(main.spec(main.port(tap)), main.block) for tap in taps}

    def on_tap(tap: str, ticks: Sequence[np.ndarray]) -> None:
        for values in ticks:
            recorders[tap].add(values)

    with ExitStack() as stack:
        session = stack.enter_context(
            main.session(warm_up=False, workers=False, write_files=False, setup=setup)
        )
        chain = ConversionChain(stack, plan, session, tuple(taps), on_tap)
        step = max(1, int(source.rate))  # a second at once, so that a failure is located
        pieces = [chain.push(samples[:, at : at + step]) for at in range(0, samples.shape[1], step)]
        pieces += chain.finish(samples.shape[1], source)
        return ConvertedSamples(
            np.concatenate(pieces, axis=1),
            plan.output,
            {tap: recorder.series() for tap, recorder in recorders.items()},
            chain.silenced,
            {name: chosen.dtype for name, chosen in main.precisions.items()},
        )
