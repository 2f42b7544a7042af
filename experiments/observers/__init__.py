"""Observers: networks and trackers that hear a sound; one a file, by name."""

__all__: list[str] = []
