"""Statistics of paired comparisons; the unit is the speaker."""

__all__: list[str] = []
