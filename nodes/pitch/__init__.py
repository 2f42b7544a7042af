"""Pitch contours: joined, transposed, smoothed."""

__all__ = ["auto", "autotune", "cache", "register", "smooth", "window_frames"]
