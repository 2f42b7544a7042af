"""Metrics: numbers made of observations; one family a file, by name."""

__all__: list[str] = []
