"""Engines: run tasks in one process, in many, or on a Ray cluster, with the same bits."""

__all__: list[str] = []
