from voicegraph.graph import conformance
test_conformance = conformance.suite("content.streaming")
