"""Control of a live session, shared by HTTP and OSC: service, options, addresses, errors."""

__all__ = [
    "addresses",
    "command_queue",
    "error_responses",
    "message_reports",
    "options",
    "service",
]
