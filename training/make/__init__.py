"""Makes the bundled voices: ``python -m training.make heart``."""

__all__ = ["convert_speaker_network", "convert_swift_network", "recipes"]
