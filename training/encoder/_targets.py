"""The step targets: what the teacher makes of each utterance, all of which it hears at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import soundfile
import torch

from voicegraph.nodes.content.phonetic_windows import whole
from voicegraph.schemas.phonetic_card import LAYER
from voicegraph.training.voice.workdir import write_whole

from ..common import hama
from ._workdir import Place


def jobs(place: Place) -> list[tuple]:
    """What is still to be made."""
    return [(place, name) for name in place.names() if not place.targets(name).exists()]


def make(place: Place, name: str) -> None:
    """Features of one utterance, float16 ``[frames, hidden]``."""
    audio, _ = soundfile.read(place.speech(name), dtype="float32")
    made = whole(hama.network(), torch.from_numpy(audio), LAYER).half().numpy()

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.save(file, made)

    write_whole(place.targets(name), write)
