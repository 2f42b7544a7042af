"""Low priority, so that a live session on the same machine is served first."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LOW, LOWEST = 10, 19
"""``nice`` of short work for which a page waits, and of work that takes seconds to hours: a process
of the live session gets nine or 68 times as much of a busy processor. Checks of voices one after
another made blocks late at 5, a third of the session's share."""


def lower_priority(pid: int, nice: int) -> None:
    """Lowers the priority of a process that has just been started, and of what it will start.

    Linux shares the processor between sessions of processes first, and counts ``nice`` within each
    (``sched(7)``, autogroups): so the value of its session is set, too. On Windows nothing is left
    to do: the process was started with a lower priority class.
    """
    if not hasattr(os, "setpriority"):
        return
    with suppress(OSError):  # it has ended already
        os.setpriority(os.PRIO_PROCESS, pid, nice)
        group = Path(f"/proc/{pid}/autogroup")
        if os.getsid(pid) == pid and group.exists():  # a session of its own
            group.write_text(str(nice), encoding="ascii")
