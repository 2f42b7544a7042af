"""The result of a replay as text."""

from __future__ import annotations

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.replay_report import NotedEvent, ReplayReport

_SHOWN = 12
"""Events that are listed, besides marks; `--json` has all."""


def replay_lines(report: ReplayReport) -> list[str]:
    """The result, one line each: what was run, its events, the verdict, possible causes."""
    lines = [f"{printable(report.pipeline)}: {report.seconds:.2f} s in {report.blocks} blocks"]
    lines += _events(report.events)
    lines.append(replay_verdict(report))
    if report.result == "different" and report.circumstances:
        lines += ["possible causes:"]
        lines += [f"  {printable(text)}" for text in report.circumstances]
    if report.output is not None:
        lines.append(f"wrote {printable(report.output)}")
    return lines


def _events(events: list[NotedEvent]) -> list[str]:
    """All marks, and the first other events, in order."""
    others = [event for event in events if not event.mark]
    left_out = {id(event) for event in others[_SHOWN:]}
    shown = [
        f"  {event.second:9.2f} s  {printable(event.text)}"
        for event in events
        if id(event) not in left_out
    ]
    if left_out:
        shown.append(f"  ... and {len(left_out)} more; --json has all")
    return shown


def replay_verdict(report: ReplayReport) -> str:
    """What was found, over how many blocks."""
    share = f"{report.compared} of {report.recorded} blocks compared"
    why = "".join(f"; {printable(text)}" for text in report.missing)
    if report.result == "changed":
        return "run with changes, so not compared"
    if report.result == "nothing":
        return f"nothing to compare{why}"
    if report.result == "partial":
        return f"{share}: these are identical, bit by bit{why}"
    if report.difference is None:
        return f"identical: {report.compared} blocks, bit by bit"
    found = report.difference
    return (
        f"different from {found.second:.2f} s on (block {found.block}): {found.blocks} of "
        f"{report.compared} blocks, by {found.peak_db:.0f} dB at most"
        + (f"; {share}{why}" if why else "")
    )
