"""What the routes of the page server call: one topic a file, none of them knows HTTP."""

__all__ = ["services"]
