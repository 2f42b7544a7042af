"""The store: results by the key of what they depend on; whatever was computed is kept."""

__all__: list[str] = []
