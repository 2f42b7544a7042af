"""Pitch contours: joined, transposed, smoothed."""

__all__ = ["cache", "register", "smooth", "window_frames"]
