"""How much of the processors this session of the system gets beside others, on Linux.

Where Linux groups threads by session ("autogroup", for desktops), niceness decides only among the
threads of one session: beside another terminal's programs, however nice those are, all of this
one's count as one. So the group has a niceness of its own, which is raised here for as long as a
live session runs: with the engine's, and with that of the threads that carry the sound.

Source: sched(7), "The autogroup feature".
"""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

_RAISED = -10
"""As the engine's own niceness."""


class SessionShare:
    """Raises it, where the system groups threads and allows that.

    Args:
        proc: where the system tells.

    Attributes:
        remark: what to say about it; empty, where there is nothing.
    """

    def __init__(self, proc: Path = Path("/proc")) -> None:
        self._group = proc / "self" / "autogroup"
        self._was: int | None = None
        self.remark = ""
        before = _niceness(self._group) if _grouped(proc) else None
        if before is None or before <= _RAISED:
            return
        try:
            self._group.write_text(str(_RAISED), encoding="ascii")
        except OSError:
            self.remark = (
                "Linux shares out processors by terminal session (autogroup), and this session's "
                "share may not be raised: programs of others can make blocks late"
            )
            return
        self._was = before
        self.remark = f"this terminal session comes before others, too (autogroup nice {_RAISED})"

    def close(self) -> None:
        """Gives it back."""
        if self._was is not None:
            with contextlib.suppress(OSError):
                self._group.write_text(str(self._was), encoding="ascii")
            self._was = None


def _grouped(proc: Path) -> bool:
    try:
        return (proc / "sys/kernel/sched_autogroup_enabled").read_text().strip() == "1"
    except OSError:
        return False


def _niceness(group: Path) -> int | None:
    """Of the session's group; None where there is none."""
    try:
        found = re.search(r"nice (-?\d+)", group.read_text(encoding="ascii"))
    except OSError:
        return None
    return int(found[1]) if found else None
