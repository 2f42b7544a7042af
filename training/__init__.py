"""Trains voices and encoders. ``common`` and ``voice`` are installed with the package."""

__all__ = ["common", "corpora", "encoder", "evaluate", "make", "voice"]
