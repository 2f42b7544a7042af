"""The verdict of a soak test: what was counted against what is allowed."""

from __future__ import annotations

from collections.abc import Iterator

from voicegraph.schemas.soak_report import SoakReport

_MAX_GROWTH_MB = 20.0
"""Growth of memory from which on the test fails; allocators vary by less."""
_MAX_DELAY_GROWTH_MS = 5.0
_MAX_BOUNDARY_DB = 6.0


def with_verdict(report: SoakReport) -> SoakReport:
    """The report with its failures and verdict."""
    if not report.blocks:
        return report.model_copy(update={"verdict": "nothing measured", "failures": []})
    failures = [*_loss_failures(report), *_node_failures(report), *_growth_failures(report)]
    verdict = "failed" if failures else "passed"
    return report.model_copy(update={"verdict": verdict, "failures": failures})


def _loss_failures(report: SoakReport) -> Iterator[str]:
    limits = report.limits
    worst = f", by up to {report.worst_late_ms:.1f} ms"
    for count, limit, what, option in (
        (report.late, limits.late, f"blocks were late{worst}", "late"),
        (report.dropped, limits.dropped, "blocks were dropped", "dropped"),
        (report.ran_dry, limits.underruns, "device underruns or overflows", "underruns"),
        (report.realigned, limits.realigned, "jumps of the delay", "realigned"),
    ):
        if count > limit:
            allowed = "none is" if limit == 0 else f"at most {limit} are"
            yield f"{count} {what}; {allowed} allowed (--max-{option} {limit})"


def _node_failures(report: SoakReport) -> Iterator[str]:
    health = report.health
    for name, count in health.node_faults.items():
        yield f"node {name or '?'} failed {count} times: {health.newest_fault}"
    if health.devices_lost:
        yield f"a device went away {health.devices_lost} times"
    if health.nonfinite_blocks:
        yield f"{health.nonfinite_blocks} blocks held NaN or infinity"
    for text in report.unfinished:
        yield f"two seconds after the test this had not ended: {text}"
    if not report.compute.median_ms:
        yield "no sound went through"


def _growth_failures(report: SoakReport) -> Iterator[str]:
    grown, interval = report.memory_grown_mb, report.memory_mb_per_hour_range
    surely = interval is None or interval[0] > 0
    if grown is not None and grown > _MAX_GROWTH_MB and surely:
        yield f"memory grew by {grown:.0f} MB"
    grown_ms = report.latency_end_ms - report.latency_begin_ms
    if grown_ms > _MAX_DELAY_GROWTH_MS:
        yield f"the delay grew by {grown_ms:.1f} ms"
    if report.seam_db > _MAX_BOUNDARY_DB:
        yield f"borders of blocks stand out by {report.seam_db:.1f} dB"
