"""The driver of an experiment: loads, compiles, runs, and writes results and the page."""

__all__ = ["experiment", "listener", "requirements", "run", "selection", "verification"]
