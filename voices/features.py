"""The step features: what content encoders make of the speech and of its copies.

Each once with the whole utterance as context, and the clean speech and the first copy once more as
a sliding window gives them: so the synthesizer learns what it will hear live.
"""

from __future__ import annotations

import functools
import importlib.resources
from fractions import Fraction
from pathlib import Path

import numpy as np
import soundfile
import torch

from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_windows import sliding, whole
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.phonetic_card import LAYER

from .perturb import listening
from .workplace import COPIES, Workplace, write_whole

ENCODER = (
    Path(str(importlib.resources.files("voicegraph.pipelines"))) / "models" / "phonetic.safetensors"
)
_BLOCK = Fraction(160, 1000)
_CONTEXT = Fraction(2)
_LOOKAHEAD = Fraction(60, 1000)
"""With the block, 60 to 220 ms: around the 100 to 140 ms of a live session."""
CLEAN_WHOLE, CLEAN_SLIDING = 0, COPIES + 1
PERTURBED_WHOLE, PERTURBED_SLIDING = tuple(range(1, COPIES + 1)), (COPIES + 2,)
"""Which version of the features is which."""


def identity() -> EncoderIdentity:
    """The encoder and the layer."""
    return open_phonetic(ENCODER)[1].identity(LAYER)


def jobs(place: Workplace, seed: int) -> list[tuple]:
    """What is still to be listened to."""
    return [
        (place, number, seed) for number in place.spoken() if not place.features(number).exists()
    ]


def listen(place: Workplace, number: int, seed: int) -> None:
    """``content`` of one utterance: float16 ``[versions, frames, dim]``."""
    network, random = _network(), np.random.default_rng([seed, number, COPIES])
    clean = torch.from_numpy(listening(place, number).astype(np.float32))
    copies = [_read(place.copy(number, copy), len(clean)) for copy in range(COPIES)]
    made = [whole(network, audio, LAYER) for audio in (clean, *copies)]
    for audio in (clean, copies[0]):
        first = int(random.integers(int(_BLOCK * 50)))
        made.append(sliding(network, audio, LAYER, _BLOCK, _CONTEXT, _LOOKAHEAD, first))
    content = torch.stack(made).half().numpy()

    def write(path: Path) -> None:
        with path.open("wb") as file:
            np.savez(file, content=content)

    write_whole(place.features(number), write)


def _read(path: Path, count: int) -> torch.Tensor:
    audio, _ = soundfile.read(path, dtype="float32")
    return torch.from_numpy(np.resize(np.pad(audio, (0, max(count - len(audio), 0))), count))


@functools.cache
def _network() -> PhoneticNetwork:
    return load_phonetic(ENCODER)
