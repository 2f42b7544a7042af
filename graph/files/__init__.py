"""Everything on disk: model files, ONNX files, sound, recordings, and the atomic writer."""

__all__ = [
    "atomic_write",
    "models",
    "onnx_files",
    "recordings",
    "sound",
    "user_folders",
    "voice_library",
]
