"""Standard error of native code becomes messages."""

from __future__ import annotations

import subprocess
import sys

SCRIPT = """
import os, sys
from voicegraph.graph.live.devices.stderr_capture import capture_stderr

told = []
with capture_stderr(told.append):
    os.write(2, b"ALSA lib: underrun occurred\\n" * 3)
    os.write(2, b"\\n\\xff odd \\n")
    print("python's own", file=sys.stderr)
os.write(2, b"afterwards\\n")
print(told)
with capture_stderr(told.append):
    for i in range(100):
        os.write(2, b"line %d\\n" % i)
print(len(told))
"""


def test_native_lines_are_reported_once() -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stderr.splitlines() == ["python's own", "afterwards"]
    told, count = done.stdout.splitlines()
    assert told == "['sound system: ALSA lib: underrun occurred', 'sound system: \ufffd odd']"
    assert int(count) == 2 + 20
