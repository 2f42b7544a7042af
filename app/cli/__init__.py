"""The ``voicegraph`` command: one command a file, see ``app.py``."""
