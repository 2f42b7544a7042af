"""What happens to speech on its way to an encoder: microphone, room, noise, line.

Public: :mod:`~.augmentation` draws such a way; :mod:`~.noises` and :mod:`~.distortions` are what it
draws from.
"""

__all__ = ["augmentation", "distortions", "noises"]
