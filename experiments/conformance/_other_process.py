"""Computes in a process of its own: what was kept in this one must not matter."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

_MAIN = """
import importlib, json, sys
from pathlib import Path
from voicegraph.experiments import registry
job = json.load(sys.stdin)
for path in job["files"]:
    registry.load_file(Path(path))
module, name = job["function"]
print(json.dumps(getattr(importlib.import_module(module), name)(*job["arguments"])))
"""


def elsewhere(function: tuple[str, str], *arguments: Any, cls: type | None = None) -> Any:
    """What a function gives in a new process.

    Args:
        function: names of its module and of itself; takes and gives JSON values.
        arguments: of it.
        cls: the plug-in; the file that registers it is run there, too.

    Raises:
        AssertionError: if that process fails.
    """
    files = [] if cls is None else _own_file(cls)
    job = {"function": function, "arguments": arguments, "files": files}
    places = os.pathsep.join(dict.fromkeys(path for path in sys.path if path))
    done = subprocess.run(
        [sys.executable, "-c", _MAIN],
        input=json.dumps(job),
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": places},
    )
    assert done.returncode == 0, f"it fails in another process:\n{done.stderr[-2000:]}"
    return json.loads(done.stdout.splitlines()[-1])


def _own_file(cls: type) -> list[str]:
    """The file of a plug-in that no package holds: what ``metrics_files`` names."""
    module = sys.modules[cls.__module__]
    path = getattr(module, "__file__", None)
    return [str(Path(path))] if path and cls.__module__.startswith("voicegraph_metrics_") else []
