"""Pitch contours: joined, transposed, smoothed."""
