"""Session recordings: written while a session runs, read, replayed, compared."""

__all__ = ["compare", "prerequisites", "reader", "recorder", "replay"]
