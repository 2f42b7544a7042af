"""What people and programs use: commands, terminal screen, HTTP, OSC, reports, diagnostics."""

__all__ = [
    "bundle",
    "cli",
    "control",
    "control_servers",
    "diagnostics",
    "osc",
    "reports",
    "tui",
    "web",
]
