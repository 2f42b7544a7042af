"""Serving HTTP: access control, connections with deadlines, strict JSON, errors as answers.

Shared by the interface of a live session (``app/session_server``) and by the app's page server
(``app/page_server``).
"""

__all__ = [
    "access_control",
    "background_server",
    "documented_errors",
    "error_handlers",
    "json_bodies",
    "media_passes",
    "websocket_access",
]
