"""The ``voicegraph`` command, one command a file; ``app.py`` registers them."""

__all__ = [
    "app",
    "bench",
    "check",
    "compare",
    "convert",
    "demo",
    "devices",
    "diff",
    "doctor",
    "draw",
    "explain",
    "inspect",
    "latency",
    "live",
    "nodes",
    "process_end",
    "replay",
    "run",
    "soak",
    "voice",
]
