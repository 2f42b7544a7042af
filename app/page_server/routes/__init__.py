"""The routes of the page server, one topic a file.

A file makes its router by ``api_router()``, gets services by the parameter
``services: CurrentServices``, and adds the router to ``ROUTERS`` of ``all_routes.py``. Services
raise ``VoicegraphError``; ``app/http/error_handlers.py`` answers with them.
"""

__all__ = [
    "all_routes",
    "devices",
    "experiments",
    "jobs",
    "latency",
    "media_passes",
    "page_files",
    "presets",
    "session",
    "session_websocket",
    "takes",
    "voices",
]
