"""Diagnostics of a machine and of live sessions: doctor, latency measurement, soak test."""

__all__ = ["doctor", "latency", "packages", "soak_runs"]
