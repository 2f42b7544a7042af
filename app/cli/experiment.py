"""``voicegraph experiment``: compares variants of pipelines on many recordings.

Each command is a file of its own, ``experiment_NAME.py``.
"""

from __future__ import annotations

from ._output import CommandGroup
from .app import app

experiment = CommandGroup(
    help="Compare variants of pipelines on many recordings: a YAML file of factors, to a page."
)
app.add_typer(experiment, name="experiment")
