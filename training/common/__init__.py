"""Shared by all trainings: training loop, data set, worker processes, files, error metrics."""

__all__ = [
    "atomic_files",
    "ctc",
    "edit_distance",
    "hama",
    "interrupts",
    "jobs",
    "progress",
    "third_party_packages",
    "training_loop",
    "training_set",
]
