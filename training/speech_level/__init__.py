"""Trains the network of ``dsp.speech_level``: ``python -m training.speech_level``."""
