"""Everything on disk: model files, sound files, recordings, and the atomic writer."""

__all__ = ["atomic_write", "models", "recordings", "sound"]
