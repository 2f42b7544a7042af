"""``synth.onnx``."""

from __future__ import annotations

from voicegraph.graph import conformance

test_conformance = conformance.suite("synth.onnx", slow=("growth",))
