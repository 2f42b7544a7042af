"""Makes the streaming encoder that comes with voicegraph: ``python -m training.encoder``."""
