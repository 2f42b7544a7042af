"""Sound files: reading, writing, and converting a whole file through a pipeline."""

__all__ = [
    "batch",
    "batch_formats",
    "bundled_recording",
    "file_conversion",
    "folder_contents",
    "formats",
    "input_conversion",
    "output_form",
    "reader",
    "sample_conversion",
    "writer",
]
