"""Test sources and probes."""

__all__ = ["contour", "noise", "probe", "tone", "vectors"]
