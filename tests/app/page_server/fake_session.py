"""A live session without sound, as a process: fake_session.py BEHAVIOUR INFO END.

``run`` serves until it is stopped, ``late`` with blocks that overrun; ``refuse`` cannot start, and
says why; ``die`` ends without a word, ``misled`` as a wrong command line does.
"""

from __future__ import annotations

import os
import runpy
import sys
import time
from pathlib import Path

from voicegraph.app.control.options import ControlOptions
from voicegraph.app.control_servers import Control
from voicegraph.schemas.live_end import LiveEnd
from voicegraph.schemas.report import ProblemReport

_PROBLEM = ProblemReport(
    code="device-busy", message="the microphone is busy", where=None, line=None, column=None,
    notes=[], fix="close the program that uses it",
)  # fmt: skip


def main(behaviour: str, info: str, end: str) -> int:
    print("starting: loading voice, 1.0 s", file=sys.stderr, flush=True)
    if behaviour == "die":
        return 7
    if behaviour == "misled":
        print("Usage: voicegraph live\n\nError: there is no such option", file=sys.stderr)
        return 2
    problems = [_PROBLEM] if behaviour == "refuse" else []
    if not problems:
        live = runpy.run_path(str(Path(__file__).parents[1] / "fake_live.py"))["FakeLive"]()
        live.headroom = -0.5 if behaviour == "late" else live.headroom
        with Control(live, ControlOptions(http="127.0.0.1:0", http_info=Path(info))):
            live.stopped.wait()
    made = LiveEnd(ok=not problems, pid=os.getpid(), ended_unix_s=time.time(), problems=problems)
    Path(end).write_text(made.model_dump_json(), encoding="utf-8")
    return 5 if problems else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
