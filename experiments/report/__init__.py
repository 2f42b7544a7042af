"""The page: one HTML file in which one hears, sees and reads the result."""

__all__: list[str] = []
