"""The status of a session of the C interface."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING

from voicegraph.graph.live.status import live_params, node_loads
from voicegraph.graph.optional_packages import version_of
from voicegraph.schemas.sdk_status import SdkEnd, SdkStatus

if TYPE_CHECKING:
    from .block_session import BlockSession


def session_status(held: BlockSession, warnings: Iterable[str] = ()) -> SdkStatus:
    """The status at this moment; may be called from any thread.

    Args:
        held: the session.
        warnings: of the whole process, such as those of packages.
    """
    session, blocks = held.session, held.format
    plan, timings = session.plan, session.timings()
    total = timings["total"]
    return SdkStatus(
        version=version_of("voicegraph") or "unknown",
        pipeline=plan.name,
        plan=plan.hash,
        input=SdkEnd(frames=blocks.in_frames, rate_hz=blocks.in_rate, channels=blocks.in_channels),
        output=SdkEnd(
            frames=blocks.out_frames, rate_hz=blocks.out_rate, channels=blocks.out_channels
        ),
        block_ms=1e3 * held.block_s,
        latency_frames=blocks.latency,
        latency_ms=1e3 * float(plan.latency.algorithmic),
        blocks=session.position,
        seconds=time.monotonic() - held.opened,
        compute_median_ms=total.median_ms,
        compute_p99_ms=total.p99_ms,
        compute_max_ms=total.max_ms,
        late=held.late,
        nodes=node_loads(plan, timings),
        params=live_params(session),
        swapping=session.swapping,
        swaps=session.swaps,
        nonfinite=session.nonfinite,
        silenced=session.silenced,
        faults=dict(held.faults),
        messages=[*session.notes, *held.messages, *warnings],
    )
