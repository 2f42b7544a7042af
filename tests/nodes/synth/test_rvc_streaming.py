"""``synth.rvc_streaming``."""
from voicegraph.graph import conformance
test_conformance = conformance.suite("synth.rvc_streaming", slow=("growth",))
