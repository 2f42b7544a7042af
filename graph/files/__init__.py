"""Everything on disk: model, ONNX and FAISS files, sound, recordings, and the atomic writer."""

__all__ = [
    "atomic_write",
    "faiss_files",
    "file_errors",
    "models",
    "onnx_files",
    "private_copy",
    "private_folder",
    "recordings",
    "sound",
    "user_folders",
    "voice_library",
]
