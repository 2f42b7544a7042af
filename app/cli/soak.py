"""``voicegraph soak``: a soak test of a live session, for minutes or hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from voicegraph.graph.terminal_text import printable

from ._options import JsonOption, PipelineArg, ProfileOption, SetOption, flag, load, option
from ._output import echo, print_json
from ._sound_options import (
    BuffersOption,
    InputOption,
    InputRateOption,
    MarginOption,
    OutputOption,
    OutputRateOption,
    buffers,
    device_request,
    seconds,
)
from .app import app

if TYPE_CHECKING:
    from voicegraph.schemas.soak_report import SoakReport

MinutesOption = Annotated[float, option("N", "Minutes of audio to process.", least=0.1)]
FreewheelOption = Annotated[
    bool,
    flag("--freewheel", "Use simulated devices and run as fast as possible, with real costs."),
]
DriftOption = Annotated[
    float,
    option(
        "PPM",
        "With --freewheel: how much faster the input's clock runs than the output's.",
        least=-500,
        most=500,
    ),
]
MicrophoneOption = Annotated[
    bool, flag("--microphone", "Use the input device instead of recorded speech.")
]


@app.command()
def soak(
    pipeline: PipelineArg,
    minutes: MinutesOption = 30.0,
    freewheel: FreewheelOption = False,
    drift: DriftOption = 50.0,
    microphone: MicrophoneOption = False,
    input_: InputOption = None,
    output: OutputOption = None,
    input_rate: InputRateOption = None,
    output_rate: OutputRateOption = None,
    buffers_: BuffersOption = "low",
    margin: MarginOption = "4ms",
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run a pipeline live for minutes or hours, and check memory, latency, drift and clicks.

    The input is recorded speech, repeated. The exit code is 1 if memory or latency grew, or if
    block boundaries are audible.
    """
    from voicegraph.app.diagnostics.soak_runs import soak_devices, soak_freewheel
    from voicegraph.graph.live.devices.stderr_capture import capture_stderr
    from voicegraph.graph.live.factory import LiveOptions
    from voicegraph.graph.live.setup import set_up_live

    options = LiveOptions(margin_s=float(seconds(margin, "--margin")))
    loaded = load(pipeline, set_args, profiles)

    def tell(text: str) -> None:
        echo(text, err=True)

    if freewheel:
        report = soak_freewheel(loaded, options, 60 * minutes, drift, tell)
    else:
        setup = set_up_live(
            loaded,
            device_request("input", input_, input_rate, None, None, False),
            device_request("output", output, output_rate, None, None, False),
            buffers=buffers(buffers_),
        )
        with capture_stderr(tell):
            report = soak_devices(setup, options, 60 * minutes, microphone, tell)
    print_json(report) if as_json else echo(summary(report))
    return int(bool(report.failures))


def summary(found: SoakReport) -> str:
    """The results as text."""
    on = found.machine
    how = "simulated devices, freewheeling" if found.freewheel else "live"
    speed = 60 * found.minutes / found.wall_s if found.freewheel and found.wall_s else None
    drift = "unknown" if found.drift_ppm is None else f"{found.drift_ppm:+.1f} ppm"
    rows = [
        ("compute", _compute(found)),
        ("late", f"{found.late} blocks, by {found.worst_late_ms:.1f} ms at most"),
        ("dropped", f"{found.dropped} blocks; {found.realigned} realignments"),
        ("devices", f"{found.ran_dry} underruns"),
        ("clocks", f"{drift}; latency off by {found.worst_offset_ms:.2f} ms at most"),
        ("latency", f"{found.latency_begin_ms:.1f} ms, at the end {found.latency_end_ms:.1f} ms"),
        ("memory", _memory(found)),
        ("boundary", f"{found.seam_db:+.1f} dB at block boundaries, compared with inside blocks"),
    ]
    took = f" in {found.wall_s / 60:.1f} min ({speed:.1f}x real time)" if speed else ""
    return "\n".join(
        [
            f"{printable(found.pipeline)}: {found.minutes:.1f} min of audio{took}, {how}",
            printable(f"{found.input} -> {found.output}"),
            f"{on.cpu}, {on.cores} cores, {found.threads} threads; {on.system}; "
            f"Python {on.python}, PyTorch {on.torch}",
            "",
            *(f"  {name:<9} {text}" for name, text in rows),
            "",
            *([f"failed: {text}" for text in found.failures] or ["passed"]),
        ]
    )


def _compute(found: SoakReport) -> str:
    cost = found.compute
    return (
        f"median {cost.median_ms:.1f} ms, p99 {cost.p99_ms:.1f} ms, max {cost.max_ms:.1f} ms "
        f"of {found.block_ms:g} ms"
    )


def _memory(found: SoakReport) -> str:
    if found.resident_mb is None or found.memory_mb_per_hour is None:
        return "unknown on this system, or the run was too short"
    return (
        f"{found.resident_mb:.0f} MB, {found.memory_mb_per_hour:+.1f} MB per hour "
        f"({found.memory_grown_mb:+.1f} MB over the run)"
    )
