"""What ``voicegraph run`` prints about a file that it wrote."""

from __future__ import annotations

from typing import TYPE_CHECKING

from voicegraph.graph.terminal_text import printable

from ._progress import speed_text

if TYPE_CHECKING:
    from voicegraph.schemas.file_report import FileReport


def summary(report: FileReport) -> str:
    """One line about the output, and one for each note."""
    target = report.target
    channels = {1: "mono", 2: "stereo"}.get(target.channels, f"{target.channels} channels")
    lines = [
        f"{printable(target.path)}: {target.seconds:.2f} s, {target.rate_hz} Hz {channels}, "
        f"{target.encoding}; "
        f"{speed_text(report.source.seconds, report.process_s)} "
        f"(RTF {report.real_time_factor:.3f}); "
        f"{report.clipped} samples clipped, {report.silenced_blocks} blocks silenced"
    ]
    if report.stopped:
        lines.append(f"    stopped: it contains only the first {target.seconds:.2f} s")
    if report.clipped and report.peak_db is not None:
        fix = "lower the level, or write a .wav with --subtype float, which does not clip"
        lines.append(f"    the peak is {report.peak_db:+.1f} dBFS: {fix}")
    if report.silenced_blocks:
        lines.append("    NaN or infinite values were replaced by silence (on_nan)")
    lines += [f"    {port}: {printable(path)}" for port, path in report.taps.items()]
    if report.trace:
        lines.append(f"    trace: {printable(report.trace)} (open it at https://ui.perfetto.dev)")
    lines += [f"    note: {note}" for note in report.notes]
    return "\n".join(lines)
