"""Experiments: a file of factors over pipelines, to a page that says which differences are real.

People who compare variants use this room, by ``voicegraph experiment`` or from Python.
docs/experiments.md says how; docs/design.md how its rooms depend on each other.
"""

from __future__ import annotations

__all__ = ["clip", "compiled", "metric", "task"]
