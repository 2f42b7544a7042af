"""Trains the bundled streaming encoder: ``python -m training.encoder``."""
