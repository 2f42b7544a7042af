"""``voicegraph latency``: measures the latency of a pipeline."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from voicegraph.graph.terminal_text import printable

from ._options import JsonOption, PipelineArg, ProfileOption, SetOption, flag, load, option
from ._output import echo, print_json
from ._sound_options import (
    BuffersOption,
    DelayOption,
    ExclusiveOption,
    InputChannelsOption,
    InputOption,
    InputRateOption,
    MarginOption,
    OutputChannelsOption,
    OutputOption,
    OutputRateOption,
    RoomOption,
    buffers,
    delay_seconds,
    device_request,
    seconds,
)
from ._startup_display import startup_display
from .app import app

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.latency_measurement import LatencyMeasurement

_CLOSE_MS = 5.0
"""Largest difference in ms between the measured latency and the sum of its parts."""

DryOption = Annotated[
    bool, flag("--dry", "Pass the sound through unchanged, in the pipeline's block size.")
]
RunsOption = Annotated[int, option("N", "Number of measurements.", least=1, most=100)]


@app.command()
def latency(
    pipeline: PipelineArg,
    input_: InputOption = None,
    output: OutputOption = None,
    input_rate: InputRateOption = None,
    output_rate: OutputRateOption = None,
    input_channels: InputChannelsOption = None,
    output_channels: OutputChannelsOption = None,
    exclusive: ExclusiveOption = False,
    buffers_: BuffersOption = "low",
    margin: MarginOption = "4ms",
    delay: DelayOption = None,
    room: RoomOption = "0ms",
    runs: RunsOption = 3,
    dry: DryOption = False,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Measure the latency of a pipeline, from input to output, and compare it with its parts.

    Connect the output to the input by a cable, or hold the microphone to the loudspeaker. A short
    test signal is played and recorded, first without the pipeline, then through it. The exit code
    is 1 if the measured latency differs from the sum of its parts by more than 5 ms.
    """
    from voicegraph.app.diagnostics.latency import measure_latency
    from voicegraph.graph.live.devices.stderr_capture import capture_stderr
    from voicegraph.graph.live.factory import LiveOptions
    from voicegraph.graph.live.setup import set_up_live

    room_s = seconds(room, "--room")
    if dry and room_s:
        text = "with --dry there is no pipeline that could need it: leave one of the two out"
        raise typer.BadParameter(text, param_hint="--room")
    tell = None if as_json else lambda text: echo(text, err=True)
    with startup_display(quiet=as_json, summary=False):
        loaded = load(pipeline, set_args, profiles)
        setup = set_up_live(
            _passing(loaded) if dry else loaded,
            device_request("input", input_, input_rate, input_channels, None, exclusive),
            device_request("output", output, output_rate, output_channels, None, exclusive),
            buffers=buffers(buffers_),
            room=room_s,
        )
        with capture_stderr(lambda _: None):  # underruns are expected while the devices open
            held = LiveOptions(
                margin_s=float(seconds(margin, "--margin")), delay_s=delay_seconds(delay)
            )
            found = measure_latency(setup, held, runs, tell)
    print_json(found) if as_json else echo(summary(found))
    return int(abs(found.difference_ms) > _CLOSE_MS)


def _passing(pipeline: Pipeline) -> Pipeline:
    """A pipeline with the same input that passes the sound through."""
    from voicegraph.graph.pipeline import Pipeline, node

    file = pipeline.loaded.file
    return Pipeline(
        name=f"{pipeline.name} (dry)",
        block=file.block,
        input={"rate": file.input.rate, "channels": file.input.channels},
        nodes={"dry": node("dsp.gain", "input")},
        output="dry",
    )


def summary(found: LatencyMeasurement) -> str:
    """The measurement as text."""
    on = found.machine
    late = f"; {found.late} late blocks during the measurement" if found.late else ""
    rows = [
        ("algorithmic", found.algorithmic_ms, "look-ahead and overlap"),
        ("buffering", found.buffering_ms, "one block fills, one plays, plus the reserve"),
        (
            "device",
            found.device_ms,
            f"measured; reported {found.device_claimed_ms:.1f} ms",
        ),
        ("sum", found.expected_ms, ""),
        ("measured", found.measured_ms, f"{found.difference_ms:+.1f} ms against the sum{late}"),
    ]
    spread = max(r.whole_ms for r in found.runs) - min(r.whole_ms for r in found.runs)
    return "\n".join(
        [
            f"{printable(found.pipeline)}: blocks of {found.block_ms:g} ms",
            printable(f"{found.input} -> {found.output}"),
            f"{on.cpu}, {on.cores} cores; {on.system}; Python {on.python}, PyTorch {on.torch}",
            "",
            *(f"  {name:<12} {value:7.1f} ms  {note}".rstrip() for name, value, note in rows),
            "",
            f"{len(found.runs)} measurements, which differ by {spread:.1f} ms at most",
            f"compute time adds no latency: 99 of 100 blocks take {found.compute_p99_ms:.1f} ms or "
            f"less, a headroom of {found.headroom:.0%}",
        ]
    )
