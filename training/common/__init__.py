"""Shared by all trainings: training loop, data set, worker processes, files."""

__all__ = [
    "atomic_files",
    "hama",
    "interrupts",
    "jobs",
    "progress",
    "task_pool",
    "third_party_packages",
    "training_loop",
    "training_set",
]
