"""Drivers: what brings audio to a session and takes it away. Here: files."""
