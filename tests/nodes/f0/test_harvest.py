"""``f0.harvest``."""

from __future__ import annotations

from voicegraph.graph import conformance

test_conformance = conformance.suite("f0.harvest")
