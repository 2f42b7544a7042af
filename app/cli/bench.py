"""``voicegraph bench``: measures the compute time of a pipeline on this machine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from voicegraph.graph.terminal_text import printable

from ._options import (
    JsonOption,
    OptionalPipelineArg,
    ProfileOption,
    SetOption,
    flag,
    load,
    option,
)
from ._output import echo, print_json
from ._startup_display import startup_display
from .app import app

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Plan
    from voicegraph.schemas.bench_report import BenchReport, CostReport, MemoryReport

_BUSY = 1.3
"""If the median exceeds the undisturbed time by this factor, other programs were running."""

EngineOption = Annotated[
    bool, flag("--engine", "Measure the engine itself: ten nodes that pass audio through.")
]
BlocksOption = Annotated[
    int | None,
    option("N", "Blocks to measure, after a warm-up. Default: as many as fit in 5 s.", least=1),
]
StreamsOption = Annotated[int, option("N", "Independent streams in parallel.", least=1)]
ThreadsOption = Annotated[
    int | None,
    option("N", "Threads of numeric libraries. Default: the file's, or the machine's.", least=1),
]


@app.command()
def bench(
    pipeline: OptionalPipelineArg = None,
    engine: EngineOption = False,
    blocks: BlocksOption = None,
    streams: StreamsOption = 1,
    threads: ThreadsOption = None,
    set_args: SetOption = None,
    profiles: ProfileOption = None,
    as_json: JsonOption = False,
) -> None:
    """Measure a pipeline: time of every node and of the whole block, real-time factor, memory.

    It processes recorded speech block by block, as a live session does, as fast as possible.
    """
    from voicegraph.graph.metrics.benchmark import measure

    if engine == (pipeline is not None):
        raise typer.BadParameter("name a pipeline, or give --engine", param_hint="PIPELINE")
    with startup_display(quiet=as_json, summary=False):
        plan = _plan(pipeline, set_args, profiles, threads)
        report = measure(plan, blocks=blocks, streams=streams)
    if as_json:
        print_json(report)
    else:
        echo(summary(report))


def _plan(
    pipeline: str | None,
    set_args: list[str] | None,
    profiles: list[str] | None,
    threads: int | None,
) -> Plan:
    if pipeline is None:
        if set_args or profiles:
            text = "--engine measures its own pipeline, which has no settings"
            raise typer.BadParameter(text, param_hint="--set")
        from voicegraph.graph.metrics.benchmark import engine_plan

        return engine_plan(threads)
    more = [f"threads={threads}"] if threads else []
    return load(pipeline, [*(set_args or []), *more], profiles).compile()


def summary(report: BenchReport) -> str:
    """The measurement as text."""
    from voicegraph.app.reports.setup_lines import precision_lines, thread_lines

    on = report.machine
    parts = [
        f"{on.cpu}, {_count(on.cores, 'core')}; {on.system}",
        f"Python {on.python}, PyTorch {on.torch}, NumPy {on.numpy}; "
        f"{_count(report.threads, 'thread')}",
        f"{printable(report.pipeline)}: "
        f"{report.blocks} blocks of {report.block_ms:g} ms of speech, "
        f"{_count(report.streams, 'stream')}; set up in {report.setup_s:.2f} s",
        *thread_lines(report.setup),
        *precision_lines(report.setup),
        "",
        *_table(report),
        "",
        _verdict(report),
        _disturbance(report),
        _memory(report.memory),
        *(f"note: {note}" for note in report.notes),
    ]
    return "\n".join(parts)


def _table(report: BenchReport) -> list[str]:
    from voicegraph.app.reports.setup_lines import lane_of
    from voicegraph.app.reports.text_table import Column, table

    unit, scale = ("ms", 1.0) if report.whole.median_ms >= 1 else ("us", 1000.0)
    columns = [
        Column("node", wraps=True),
        Column("use", wraps=True),
        Column("lane"),
        Column("precision"),
        *(Column(f"{title}\n{unit}", right=True) for title in ("median", "p99", "max")),
        Column("share", right=True),
        Column("weights\nMB", right=True),
    ]
    rows = [
        [
            n.name,
            n.use,
            lane_of(report.setup, n.name),
            report.setup.nodes[n.name].precision,
            *_times(n, scale),
            f"{n.share:.0%}",
            _megabytes(n.weights_bytes, ""),
        ]
        for n in report.nodes
    ]
    if report.engine is not None:
        rest = max(0.0, 1 - sum(n.share for n in report.nodes))
        rows.append(["(engine)", "", "", "", *_times(report.engine, scale), f"{rest:.0%}", ""])
    rows.append(["whole block", "", "", "", *_times(report.whole, scale), "", ""])
    return table(columns, rows)


def _times(cost: CostReport, scale: float) -> list[str]:
    return [f"{scale * value:.2f}" for value in (cost.median_ms, cost.p99_ms, cost.max_ms)]


def _verdict(report: BenchReport) -> str:
    """Live, the compute time of a block must not exceed its duration."""
    share = report.whole.p99_ms / report.block_ms
    live = "fast enough to run live" if share < 1 else "too slow to run live on this machine"
    return (
        f"real-time factor {report.real_time_factor:.4f} "
        f"({1 / report.real_time_factor:.1f}x real time); 99 of 100 blocks take "
        f"{share:.1%} of their duration or less: {live}"
    )


def _disturbance(report: BenchReport) -> str:
    median, best = report.whole.median_ms, report.undisturbed_ms
    time = f"{1000 * best:.1f} us" if best < 1 else f"{best:.2f} ms"
    text = f"undisturbed, a block takes {time}, {best / report.block_ms:.2g} of its duration"
    if median > _BUSY * best:
        text += f": the machine was busy; the median is {median / best:.1f} times as long"
    return text


def _memory(memory: MemoryReport) -> str:
    parts = [f"weights {_megabytes(memory.weights_bytes)}"]
    if memory.resident_bytes is not None and memory.growth_bytes is not None:
        grown = memory.growth_bytes / 1e6
        whole = _megabytes(memory.resident_bytes)
        parts.insert(0, f"{whole} resident, {grown:+.1f} MB over the run")
    return "memory: " + ", ".join(parts)


def _megabytes(size: int, unit: str = " MB") -> str:
    return f"{size / 1e6:.1f}{unit}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" + ("" if number == 1 else "s")
