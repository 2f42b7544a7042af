"""Computing time of a row on one core, by ``voicegraph bench``."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from voicegraph.graph.metrics import benchmark
from voicegraph.graph.pipeline import Plan
from voicegraph.training.common.atomic_files import write_text


@dataclass(frozen=True, slots=True)
class Cost:
    """Computing time of a plan's blocks.

    Attributes:
        block_ms: length of a block.
        undisturbed_ms: computing time without other programs: the lowest median of any twentieth
            of the run.
        median_ms: median computing time.
        p99_ms: 99th percentile.
        cpu: the processor.
    """

    block_ms: float
    undisturbed_ms: float
    median_ms: float
    p99_ms: float
    cpu: str

    @property
    def real_time_factor(self) -> float:
        """Share of one core, without other programs."""
        return self.undisturbed_ms / self.block_ms


def measure(plan: Plan, kept: Path) -> None:
    """Runs about 5 s of blocks on one thread and without workers, and stores the result."""
    report = benchmark.measure(plan, workers=False)
    cost = Cost(
        block_ms=report.block_ms,
        undisturbed_ms=report.undisturbed_ms,
        median_ms=report.whole.median_ms,
        p99_ms=report.whole.p99_ms,
        cpu=report.machine.cpu,
    )
    write_text(kept, json.dumps(asdict(cost)))


def read(kept: Path) -> Cost:
    """What :func:`measure` stored."""
    return Cost(**json.loads(kept.read_text(encoding="utf-8")))
