"""Test sources and probes."""
