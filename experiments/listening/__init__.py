"""Listening tests: out of a run as webMUSHRA folder and as one page, and their ratings back in.

``write_test.py`` writes a test, ``read_ratings.py`` reads what listeners answered.
"""

__all__ = ["listening_test", "read_ratings", "write_test"]
