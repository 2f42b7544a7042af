"""``pitch.smooth``."""

from __future__ import annotations

from voicegraph.graph import conformance

test_conformance = conformance.suite("pitch.smooth")
