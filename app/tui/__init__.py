"""The terminal screen of a live session, and its output as plain lines or JSON lines."""

__all__ = ["line_output", "run_screen", "screen"]
