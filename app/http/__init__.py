"""Serving HTTP: access control, connections with deadlines, strict JSON, errors as answers.

Shared by the interface of a live session (``app/web``) and by the app's page server
(``app/server``).
"""

__all__ = [
    "access_control",
    "background_server",
    "error_handlers",
    "json_bodies",
    "websocket_access",
]
