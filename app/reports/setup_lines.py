"""How an engine was set up, as text: for ``bench``, ``soak`` and ``explain`` of a session."""

from __future__ import annotations

from voicegraph.graph.terminal_text import printable
from voicegraph.schemas.engine_setup import EngineSetup, NodeSetup, TriedLayout


def thread_lines(setup: EngineSetup) -> list[str]:
    """The thread layout; then the ways that were tried, if there were several, fastest first."""
    lines = [f"threads   {printable(setup.threads.text)}"]
    ranked = sorted(setup.tried, key=lambda way: way.median_ms)
    width = max((len(_times(way)) for way in ranked), default=0)
    tried = [f"  tried   {_times(way):>{width}}  {printable(way.layout.text)}" for way in ranked]
    return [*lines, *tried]


def lane_of(setup: EngineSetup, node: str) -> str:
    """Where a node runs: ``main``, or the number of its worker."""
    for number, worker in enumerate(setup.threads.workers, 1):
        if node in worker.nodes:
            return f"worker {number}"
    return "main"


def precision_lines(setup: EngineSetup) -> list[str]:
    """The precision of each node that does not compute in float32, or that had a trial."""
    return [
        f"precision {printable(name)} {node.precision}{_trial(node)}"
        for name, node in setup.nodes.items()
        if node.precision != "float32" or node.trial_ms
    ]


def _trial(node: NodeSetup) -> str:
    """What the trial measured, the fastest first."""
    ranked = sorted(node.trial_ms.items(), key=lambda entry: entry[1])
    times = ", ".join(f"{what} {ms:.1f} ms" for what, ms in ranked)
    return f" (trial: {times})" if times else ""


def explain_setup(setup: EngineSetup) -> str:
    """The whole setup; ends with a line break."""
    return "\n".join([*thread_lines(setup), *precision_lines(setup)]) + "\n"


def _times(way: TriedLayout) -> str:
    return f"{way.median_ms:.1f} ms (least {way.least_ms:.1f})"
