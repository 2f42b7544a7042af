"""Live sessions: the engine between two sound devices, with ring buffers and hot swap."""

__all__ = [
    "devices",
    "engine_loop",
    "factory",
    "health",
    "interpreter_tuning",
    "memory_trim",
    "protocol",
    "session",
    "setup",
    "simulated_card",
    "spectrum_feed",
    "status",
]
