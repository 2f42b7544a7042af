"""Session recordings: written while a session runs, read, replayed, compared."""

__all__ = [
    "compare",
    "paths",
    "plan_identity",
    "prerequisites",
    "reader",
    "recorder",
    "replay",
    "summary",
    "writing_lock",
]
