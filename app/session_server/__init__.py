"""The HTTP and WebSocket interface of a live session, and its web page."""

__all__ = ["server"]
