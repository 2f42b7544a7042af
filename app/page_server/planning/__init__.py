"""Plans sessions and describes what they run, in a process of its own: it compiles with PyTorch.

The page server itself does without PyTorch, and calls ``worker``.
"""

__all__ = [
    "channel_strip",
    "main_controls",
    "qualities",
    "running_graph",
    "session_planner",
    "worker",
]
