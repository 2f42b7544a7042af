"""What the demo prints at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.schemas.quantities import format_duration

from ._demo_conversions import NEURAL, Conversion
from ._demo_files import DemoFiles
from ._progress import speed_text

if TYPE_CHECKING:
    from voicegraph.graph.pipeline import Pipeline
    from voicegraph.schemas.file_report import FileReport


def summary(
    files: DemoFiles,
    pipelines: list[tuple[Conversion, Pipeline]],
    done: dict[Conversion, FileReport],
    drawn: bool,
) -> str:
    """Files, speed and latency of each conversion."""
    seconds = max(report.source.seconds for report in done.values())
    lines = [f"{seconds:.1f} s of speech:", f"    {files.original}   the recording"]
    for conversion, pipeline in pipelines:
        if conversion in done:
            lines += _conversion(files, conversion, pipeline, done[conversion])
    if drawn:
        lines += [f"    {files.picture}   spectrograms and F0 of all files"]
    lines += [
        "Files are compensated for latency. Live, add buffering (2 blocks) and the sound card.",
        "The real-time factor is compute time divided by the duration of the audio.",
        f"speech   {bundled_recording.ATTRIBUTION}",
        "",
        f"next: voicegraph run {NEURAL} IN.wav OUT.wav --set vars.transpose=-2",
        f"      voicegraph live {NEURAL}-live",
        "      voicegraph explain world",
    ]
    return "\n".join(lines)


def _conversion(
    files: DemoFiles, conversion: Conversion, pipeline: Pipeline, report: FileReport
) -> list[str]:
    plan = pipeline.compile()
    factor = f"real-time factor {report.real_time_factor:.2f}"
    what = f"{conversion.subject}: pipeline {plan.name}, {len(plan.nodes)} nodes"
    if report.stopped:
        what = f"stopped: holds the first {report.target.seconds:.1f} s; {what}"
    return [
        f"    {files.converted(conversion)}   {what}",
        f"        {speed_text(report.source.seconds, report.process_s)} ({factor}); latency "
        f"algorithmic {format_duration(plan.latency.algorithmic)}, "
        f"buffering {format_duration(plan.latency.buffering)}",
        *(f"        note: {note}" for note in report.notes),
    ]
