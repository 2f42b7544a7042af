"""The grid: cells, plans, keys and tasks of an experiment, compiled before anything runs."""

__all__ = ["check", "check_text", "compile"]
