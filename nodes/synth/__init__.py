"""Synthesizers: content features and pitch to audio."""

__all__ = [
    "network",
    "onnx",
    "pitch_bins",
    "pulse_train",
    "rvc",
    "rvc_example",
    "rvc_streaming",
    "source_filter",
    "source_filter_file",
    "source_filter_network",
    "streaming_network",
    "streaming_voice",
    "voice_file",
    "voice_network",
]
