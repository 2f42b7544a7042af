"""What the demo says when it is done."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.schemas.quantities import format_duration

from .demo_takes import SPEAKS, Take
from .progress import speed_text

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.file_report import FileReport

    from .demo import Files


def page(
    files: Files,
    pipelines: list[tuple[Take, Pipeline]],
    done: dict[Take, FileReport],
    drawn: bool,
) -> str:
    """Files, speed and latency of each take."""
    seconds = max(report.source.seconds for report in done.values())
    lines = [f"{seconds:.1f} s of speech:", f"    {files.original}   the recording"]
    for take, pipeline in pipelines:
        if take in done:
            lines += _take(files, take, pipeline, done[take])
    if drawn:
        lines += [f"    {files.picture}   all as spectrograms, with F0"]
    lines += [
        "Latency is taken off files; live, buffering (2 blocks) and the sound card add to it.",
        "A real-time factor is the part of the time that was spent computing.",
        f"speech   {bundled_recording.ATTRIBUTION}",
        "",
        f"next: voicegraph run {SPEAKS} IN.wav OUT.wav --set vars.transpose=-2",
        f"      voicegraph live {SPEAKS}-live",
        "      voicegraph explain world",
    ]
    return "\n".join(lines)


def _take(files: Files, take: Take, pipeline: Pipeline, report: FileReport) -> list[str]:
    plan = pipeline.compile()
    factor = f"real-time factor {report.real_time_factor:.2f}"
    what = f"{take.subject}: pipeline {plan.name}, {len(plan.nodes)} nodes"
    if report.stopped:
        what = f"stopped: holds the first {report.target.seconds:.1f} s; {what}"
    return [
        f"    {files.converted(take)}   {what}",
        f"        {speed_text(report.source.seconds, report.process_s)} ({factor}); latency "
        f"algorithmic {format_duration(plan.latency.algorithmic)}, "
        f"buffering {format_duration(plan.latency.buffering)}",
        *(f"        note: {note}" for note in report.notes),
    ]
