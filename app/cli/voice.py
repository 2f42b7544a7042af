"""``voicegraph voice``: the library of voices, and training.

Each command is a file of its own, ``voice_NAME.py``.
"""

from __future__ import annotations

from ._output import CommandGroup
from .app import app

voice = CommandGroup(help="The library of voices: list, add, merge; and train your own.")
app.add_typer(voice, name="voice")
