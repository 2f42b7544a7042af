"""What the interfaces of a live session share: service, commands, options, addresses, errors."""

__all__ = [
    "addresses",
    "command_queue",
    "error_responses",
    "http_info_file",
    "limits",
    "message_reports",
    "options",
    "service",
    "token_bucket",
    "tokens",
]
