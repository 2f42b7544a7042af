"""Trains a source-filter voice from recordings; ``voicegraph voice make`` runs these steps."""

__all__ = [
    "adversarial_finetune",
    "augmentation",
    "consent",
    "contours",
    "export",
    "make_voice",
    "preflight",
    "prepared_speech",
    "train",
    "training_steps",
    "workdir",
]
