"""Evaluates the bundled voices on unseen speakers: ``python -m training.evaluate``."""

__all__ = ["choose", "clips", "noise"]
