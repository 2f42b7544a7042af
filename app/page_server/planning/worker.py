"""The planner's process: ``-m voicegraph.app.page_server.planning.worker VOICES PRESETS``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from voicegraph.app.background import serve_calls

from .running_graph import RunningGraph
from .session_planner import SessionPlanner


def planning_functions(library: Path, presets: Path) -> dict[str, Callable[..., Any]]:
    """What the page server may call, by name.

    Args:
        library: the folder of voices.
        presets: the folder of presets.
    """
    planner = SessionPlanner(library, presets)
    graph = RunningGraph(planner.readable)
    return {
        "plan": planner.plan,
        "qualities": planner.qualities,
        "controls": planner.controls,
        "describe": graph.describe,
        "running_controls": graph.controls,
        "check": graph.check,
    }


if __name__ == "__main__":
    serve_calls(planning_functions(*map(Path, sys.argv[1:])))
