"""What people and programs use: commands, terminal screen, HTTP, OSC, reports, diagnostics."""

__all__ = [
    "background",
    "bundle",
    "cli",
    "control",
    "control_servers",
    "conversion_queue",
    "diagnostics",
    "http",
    "osc",
    "page_server",
    "reports",
    "sdk",
    "session_server",
    "storage",
    "tui",
    "voice_library",
]
