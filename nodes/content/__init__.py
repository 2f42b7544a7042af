"""Content encoders: what is said, apart from who says it."""
