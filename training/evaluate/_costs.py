"""What a row costs, on one core, by the package's own benchmark."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from voicegraph.graph.metrics import benchmark
from voicegraph.graph.pipeline import Plan
from voicegraph.training.voice.workdir import write_whole


@dataclass(frozen=True, slots=True)
class Cost:
    """Of a plan.

    Attributes:
        block_ms: how long a block lasts.
        undisturbed_ms: what it takes where no other program takes part: the lowest median of any
            twentieth of the run.
        median_ms: what half of the blocks take, on this machine as it was.
        p99_ms: what 99 of 100 take.
        cpu: the processor.
    """

    block_ms: float
    undisturbed_ms: float
    median_ms: float
    p99_ms: float
    cpu: str

    @property
    def real_time_factor(self) -> float:
        """Of one core, undisturbed."""
        return self.undisturbed_ms / self.block_ms


def measure(plan: Plan, kept: Path) -> None:
    """Runs some 5 s of blocks, on one thread and without workers, and keeps what they took."""
    report = benchmark.measure(plan, workers=False)
    cost = Cost(
        block_ms=report.block_ms,
        undisturbed_ms=report.undisturbed_ms,
        median_ms=report.whole.median_ms,
        p99_ms=report.whole.p99_ms,
        cpu=report.machine.cpu,
    )
    text = json.dumps(asdict(cost))

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    write_whole(kept, write)


def read(kept: Path) -> Cost:
    """What :func:`measure` kept."""
    return Cost(**json.loads(kept.read_text(encoding="utf-8")))
