"""The shipped conditions by name, and who asks the registry for one."""

from __future__ import annotations

from ..metric import Condition
from ..registry import CONDITIONS

BUILTIN: dict[str, str] = {
    "babble": "babble",
    "clipping": "clipping",
    "codec": "codec",
    "gain": "gain",
    "line": "line",
    "microphone": "microphone",
    "music": "music",
    "noise": "noise",
    "pitch": "pitch",
    "room": "room",
    "truth": "truth",
    "whisper": "whisper",
}
"""Name -> module of this folder."""


def find(name: str) -> type[Condition]:
    """The condition of a name.

    Raises:
        KeyError: if the name is unknown.
        ImportError: if its module fails.
    """
    return CONDITIONS.find(name)


def names() -> list[str]:
    """Every known condition, sorted."""
    return CONDITIONS.names()
