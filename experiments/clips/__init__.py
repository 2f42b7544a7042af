"""Clips: finds recordings, draws them blindly, cuts them."""

__all__ = ["candidates", "cut", "draw", "find", "sex", "table", "template", "transcripts"]
