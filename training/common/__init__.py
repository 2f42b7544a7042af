"""Shared by all trainings: training loop, data set, worker processes, files."""

__all__ = [
    "atomic_files",
    "hama",
    "interrupts",
    "jobs",
    "progress",
    "third_party_packages",
    "training_loop",
    "training_set",
]
