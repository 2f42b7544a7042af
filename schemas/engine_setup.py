"""How the engine of a session was set up on its machine: threads and workers, and each node.

The plan is the same on every machine; this is what the machine decided. Recordings and snapshots
hold it, so that a replay runs as the session ran.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from voicegraph.schemas.report import Report

_Threads = Annotated[int, Field(strict=True, ge=1, le=4096)]
_Name = Annotated[str, Field(min_length=1, max_length=1000)]


class WorkerThread(Report):
    """A thread that runs a branch of the graph beside the main thread."""

    nodes: Annotated[list[_Name], Field(min_length=1)]
    """The nodes of the branch, in the order in which they run."""
    threads: _Threads
    """Threads that PyTorch may use for them."""

    @property
    def text(self) -> str:
        """Such as ``f0, pitch on a worker with 1 thread``."""
        return f"{', '.join(self.nodes)} on a worker with {_count(self.threads)}"


class ThreadLayout(Report):
    """The threads on which the nodes run."""

    main: _Threads
    """Threads that PyTorch may use for the nodes that are on no worker."""
    workers: list[WorkerThread] = []
    """Branches that run beside the other nodes; none: all nodes run one after another."""

    @property
    def text(self) -> str:
        """Such as ``all in a row with 2 threads``."""
        if not self.workers:
            return f"all in a row with {_count(self.main)}"
        branches = "; ".join(worker.text for worker in self.workers)
        return f"{branches}; the rest with {_count(self.main)}"


class TriedLayout(Report):
    """A layout that was tried in the warm-up, in turns with the others."""

    layout: ThreadLayout
    """The layout."""
    least_ms: float
    """The fastest block."""
    median_ms: float
    """Half of the blocks took less."""


class NodeSetup(Report):
    """What the machine decided for one node."""

    precision: str
    """The precision in which it computes, such as ``float32``."""
    trial_ms: dict[str, float] = {}
    """What the trial of ``dtype: auto`` measured, by precision; empty if there was none."""


class EngineSetup(Report):
    """How an engine was set up."""

    threads: ThreadLayout
    """The threads."""
    tried: list[TriedLayout] = []
    """The ways that were tried in the warm-up; empty if none were: workers are off, or the setup
    was given."""
    nodes: dict[_Name, NodeSetup] = {}
    """What was decided for each node."""


def _count(threads: int) -> str:
    return f"{threads} thread" + ("" if threads == 1 else "s")
