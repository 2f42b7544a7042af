"""Engines: where tasks are computed, and the one scheduler that decides what is computed next."""

__all__ = [
    "engine",
    "execute",
    "journal",
    "processes",
    "ray",
    "run_folder",
    "run_tasks",
    "schedule",
    "serial",
    "stop_request",
    "worker_facts",
]
