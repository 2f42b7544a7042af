"""Shared by all trainings: worker processes, interrupts, edit distance, recogniser."""

__all__ = ["edit_distance", "hama", "interrupts", "jobs", "third_party_packages"]
