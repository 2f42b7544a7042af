"""Conditions: noise, rooms, lines and codecs that act on a clip before a system gets it."""

__all__: list[str] = []
