"""``f0.onnx``."""

from __future__ import annotations

from voicegraph.graph import conformance

test_conformance = conformance.suite("f0.onnx", slow=("growth",))
