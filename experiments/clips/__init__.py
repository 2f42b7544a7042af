"""Clips: finds recordings, draws them blindly, cuts them."""

__all__: list[str] = []
