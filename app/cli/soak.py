"""``voicegraph soak``: a soak test of a live session, for minutes or hours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from voicegraph.graph.terminal_text import printable

from ._options import JsonOption, PipelineArg, ProfileOption, SetOption, flag, load, option
from ._output import echo, print_json
from ._sound_options import (
    BuffersOption,
    DelayOption,
    InputOption,
    InputRateOption,
    MarginOption,
    OutputOption,
    OutputRateOption,
    buffers,
    delay_seconds,
    device_request,
    seconds,
)
from ._startup_display import startup_display
from .app import app

if TYPE_CHECKING:
    from voicegraph.app.diagnostics.soak_runs import SoakSettings
    from voicegraph.graph.live.factory import LiveOptions
    from voicegraph.graph.live.setup import DeviceRequest
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.bench_report import CostReport
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
SwapEveryOption = Annotated[
    float,
    option("SECONDS", "Swap in the whole pipeline anew so often. Default: 0, never.", least=0),
]
SetEveryOption = Annotated[
    float, option("SECONDS", "Move a live param so often, one by one. Default: 0, never.", least=0)
]
MaxLateOption = Annotated[
    int, option("N", "Late blocks (overruns) that are allowed. Default: 0.", least=0)
]
MaxDroppedOption = Annotated[
    int, option("N", "Dropped blocks that are allowed. Default: 0.", least=0)
]
MaxUnderrunsOption = Annotated[
    int, option("N", "Device underruns and overflows that are allowed. Default: 0.", least=0)
]
MaxRealignedOption = Annotated[
    int, option("N", "Jumps of the delay that are allowed. Default: 0.", least=0)
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
    delay: DelayOption = None,
    swap_every: SwapEveryOption = 0.0,
    set_every: SetEveryOption = 0.0,
    max_late: MaxLateOption = 0,
    max_dropped: MaxDroppedOption = 0,
    max_underruns: MaxUnderrunsOption = 0,
    max_realigned: MaxRealignedOption = 0,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    as_json: JsonOption = False,
) -> int:
    """Run a pipeline live for minutes or hours: count late blocks, underruns; watch memory, delay.

    The input is recorded speech, repeated. The exit code is 1 if more was late, dropped or lost
    than is allowed, if a node failed, if memory or latency grew, if block boundaries are audible,
    or if nothing was measured.
    """
    limits = (max_late, max_dropped, max_underruns, max_realigned)
    with startup_display(quiet=as_json):
        settings = _settings(minutes, limits, swap_every, set_every, _options(margin, delay))
        loaded = load(pipeline, set_args, profiles)
        if freewheel:
            from voicegraph.app.diagnostics.soak_runs import soak_freewheel

            report = soak_freewheel(loaded, settings, drift, _tell)
        else:
            ends = (
                device_request("input", input_, input_rate, None, None, False),
                device_request("output", output, output_rate, None, None, False),
            )
            report = _soak_devices(loaded, ends, buffers(buffers_), settings, microphone)
    print_json(report) if as_json else echo(summary(report))
    return int(report.verdict != "passed")


def _options(margin: str, delay: str | None) -> LiveOptions:
    from voicegraph.graph.live.factory import LiveOptions

    return LiveOptions(margin_s=float(seconds(margin, "--margin")), delay_s=delay_seconds(delay))


def _settings(
    minutes: float,
    limits: tuple[int, int, int, int],
    swap_every: float,
    set_every: float,
    options: LiveOptions,
) -> SoakSettings:
    from voicegraph.app.diagnostics.soak_runs import SoakSettings
    from voicegraph.schemas.soak_report import SoakLimits

    late, dropped, underruns, realigned = limits
    allowed = SoakLimits(late=late, dropped=dropped, underruns=underruns, realigned=realigned)
    return SoakSettings(60 * minutes, allowed, swap_every, set_every, options)


def _soak_devices(
    pipeline: Pipeline,
    ends: tuple[DeviceRequest, DeviceRequest],
    buffers: str | float,
    settings: SoakSettings,
    microphone: bool,
) -> SoakReport:
    from voicegraph.app.diagnostics.soak_runs import soak_devices
    from voicegraph.graph.live.devices.stderr_capture import capture_stderr
    from voicegraph.graph.live.setup import set_up_live

    setup = set_up_live(pipeline, *ends, buffers=buffers)
    with capture_stderr(_tell):
        return soak_devices(setup, settings, microphone, _tell)


def _tell(text: str) -> None:
    echo(text, err=True)


def summary(found: SoakReport) -> str:
    """The results as text, the verdict last."""
    on = found.machine
    how = "simulated devices, freewheeling" if found.freewheel else "live"
    speed = 60 * found.minutes / found.wall_s if found.freewheel and found.wall_s else None
    took = f" in {found.wall_s / 60:.1f} min ({speed:.1f}x real time)" if speed else ""
    return "\n".join(
        [
            f"{printable(found.pipeline)}: {found.minutes:.1f} min of audio{took}, {how}",
            f"{printable(found.input)} -> {printable(found.output)}",
            f"{on.cpu}, {on.cores} cores, {found.threads} threads; {on.system}; "
            f"Python {on.python}, PyTorch {on.torch}",
            "",
            *(f"  {name:<9} {text}" for name, text in _rows(found)),
            "",
            *_verdict(found),
        ]
    )


def _rows(found: SoakReport) -> list[tuple[str, str]]:
    drift = "unknown" if found.drift_ppm is None else f"{found.drift_ppm:+.1f} ppm"
    late = f", by up to {found.worst_late_ms:.1f} ms" if found.late else ""
    changes = found.changes
    refused = f", {changes.swaps_refused} refused" if changes.swaps_refused else ""
    rows = [
        ("counted", f"{found.blocks} blocks of {found.block_ms:g} ms"),
        ("compute", _costs(found.compute, found.block_ms)),
        ("CPU", _cpu(found)),
        ("late", f"{found.late} blocks{late}"),
        ("dropped", f"{found.dropped} blocks"),
        (
            "devices",
            f"{found.ran_dry} underruns or overflows; {found.realigned} jumps of the delay",
        ),
        ("clocks", f"{drift}; latency off by {found.worst_offset_ms:.2f} ms at most"),
        ("latency", f"{found.latency_begin_ms:.1f} ms, at the end {found.latency_end_ms:.1f} ms"),
        ("memory", _memory(found)),
        ("boundary", f"{found.seam_db:+.1f} dB at block boundaries, compared with inside blocks"),
    ]
    if changes.swaps or changes.swaps_refused or changes.params_set:
        text = f"{changes.swaps} hot swaps{refused}; {changes.params_set} changes of params"
        rows.insert(1, ("changes", text))
    return rows


def _verdict(found: SoakReport) -> list[str]:
    if found.verdict == "nothing measured":
        return ["no verdict: no block was processed, so nothing was measured"]
    if found.failures:
        return [f"failed: {printable(text)}" for text in found.failures]
    parts = [
        _allowed(found.late, "block was late", "blocks were late"),
        _allowed(found.dropped, "block was dropped", "blocks were dropped"),
        _allowed(found.ran_dry, "device underrun", "device underruns"),
        _memory_verdict(found),
        "latency did not grow",
    ]  # fmt: skip
    return [f"passed: {', '.join(parts)}"]


def _memory_verdict(found: SoakReport) -> str:
    grown, interval = found.memory_grown_mb, found.memory_mb_per_hour_range
    if grown is None:
        return "memory was not judged, since it is unknown or the run was too short"
    if grown <= 0 or (interval is not None and interval[0] <= 0):
        return "memory did not grow"
    return (
        "memory grew by less than 1 MB" if grown < 1 else f"memory grew by {grown:.0f} MB (allowed)"
    )


def _allowed(count: int, one: str, many: str) -> str:
    """``no block was late``, or the number, which the limits allow."""
    return f"no {one}" if not count else f"{count} {many} (allowed)"


def _costs(cost: CostReport, block_ms: float) -> str:
    return (
        f"median {cost.median_ms:.1f} ms, p99 {cost.p99_ms:.1f} ms, max {cost.max_ms:.1f} ms "
        f"of {block_ms:g} ms"
    )


def _cpu(found: SoakReport) -> str:
    """What the blocks themselves took: other programs do not count."""
    count = found.cpu_exceeded
    over = f"{count} blocks" if count > 1 else f"{count or 'no'} block"
    return f"{_costs(found.cpu, found.block_ms)}; {over} longer by their own CPU time"


def _memory(found: SoakReport) -> str:
    if found.resident_mb is None or found.memory_mb_per_hour is None:
        return "unknown on this system, or the run was too short"
    interval = found.memory_mb_per_hour_range
    within = "" if interval is None else f" (95 %: {interval[0]:+.1f} to {interval[1]:+.1f})"
    return (
        f"{found.resident_mb:.0f} MB, {found.memory_mb_per_hour:+.1f} MB per hour{within}, "
        f"{found.memory_grown_mb:+.1f} MB over the run"
    )
