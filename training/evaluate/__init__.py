"""Measures what the voices do to speakers that no training saw; see ../README.md."""
