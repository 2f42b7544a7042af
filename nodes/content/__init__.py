"""Content encoders: speech to speaker-independent features of its phonetic content."""

__all__ = [
    "encoder",
    "encoder_file",
    "encoder_provenance",
    "hubert",
    "hubert_example",
    "hubert_sizes",
    "hubert_streaming",
    "onnx",
    "phonetic",
    "phonetic_file",
    "phonetic_frames",
    "phonetic_network",
    "phonetic_stream",
    "streaming",
]
