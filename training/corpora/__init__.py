"""Speech to train on: text-to-speech voices and the sentences they read."""

__all__ = ["read_sentences", "tts_speakers"]
