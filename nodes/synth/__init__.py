"""Synthesizers: content features and pitch to sound."""
