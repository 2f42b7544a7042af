"""Results: tables, manifest and the Python interface of a finished run."""

__all__ = ["rows"]
