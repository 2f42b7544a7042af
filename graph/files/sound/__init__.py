"""Sound files: reading, writing, and converting a whole file through a pipeline."""

__all__ = [
    "batch",
    "bundled_recording",
    "file_conversion",
    "formats",
    "input_conversion",
    "reader",
    "writer",
]
