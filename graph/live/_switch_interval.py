"""How long a thread may keep the interpreter while another one waits for it.

By default that is 5 ms: as long as a screen or a web server computes, every callback of the sound
system and every block of the engine could begin so much later. What it costs to take turns more
often is paid by those who compute for long, not by those who wait.
"""

from __future__ import annotations

import sys

_INTERVAL_S = 0.0005


class SwitchInterval:
    """Makes it short for as long as a session runs."""

    def __init__(self) -> None:
        self._was = sys.getswitchinterval()
        sys.setswitchinterval(min(self._was, _INTERVAL_S))

    def close(self) -> None:
        """Gives it back."""
        sys.setswitchinterval(self._was)
