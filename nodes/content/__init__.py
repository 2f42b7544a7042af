"""Content encoders: speech to features of what is said, independent of the speaker."""

__all__ = [
    "encoder",
    "encoder_file",
    "encoder_provenance",
    "hubert",
    "hubert_example",
    "hubert_sizes",
    "phonetic",
    "phonetic_file",
    "phonetic_frames",
    "phonetic_network",
    "phonetic_stream",
    "streaming",
]
