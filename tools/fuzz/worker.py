"""The process that reads cases: takes numbers by line, and answers each with a line of JSON.

    python -m fuzz.worker READERS READER SEED FOLDER

``READERS`` is the module with the table of readers. Memory is limited where the system can do it.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import sys
from pathlib import Path

from .cases import Cases, Outcome

MOST_MEMORY = 1 << 30
"""Bytes that a case may take, address space included."""
MOST_GROWTH = 256 << 20
"""Bytes by which a case may raise the peak of resident memory."""
_MOST_WRITTEN = 64 << 20


def main() -> None:
    """Reads cases until the input ends."""
    module, name, seed, folder = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever libraries print is no answer
    faulthandler.enable()
    cases = Cases(importlib.import_module(module).READERS[name], int(seed), Path(folder))
    cases.run(0)  # imports everything
    _limit()
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        before = _peak()
        outcome = cases.run(int(line))
        grown = _peak() - before
        if grown > MOST_GROWTH and outcome.kind != "finding":
            outcome = Outcome("finding", f"took {grown >> 20} MB of memory")
        print(json.dumps(outcome._asdict()), file=answers, flush=True)


def _limit() -> None:
    with contextlib.suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (_MOST_WRITTEN, _MOST_WRITTEN))
        if sys.platform == "linux":
            pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
            most = pages * os.sysconf("SC_PAGE_SIZE") + MOST_MEMORY
            resource.setrlimit(resource.RLIMIT_AS, (most, most))


def _peak() -> int:
    """Peak of resident memory in bytes; 0 where the system does not tell."""
    try:
        import resource
    except ImportError:
        return 0
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


if __name__ == "__main__":
    main()
