"""Listening tests: written for listeners, and read back as a metric."""

__all__: list[str] = []
