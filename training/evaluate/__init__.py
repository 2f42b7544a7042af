"""Evaluates the bundled voices on unseen speakers: ``python -m training.evaluate``."""

__all__ = ["clips", "held_out_speech", "librispeech", "pictures", "table"]
