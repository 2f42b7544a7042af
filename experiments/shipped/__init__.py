"""The experiments that come along, by name."""

__all__: list[str] = []
