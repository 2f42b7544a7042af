"""The step features: what content encoders make of the speech and of its copies.

Each once with the whole utterance as context, and the clean speech and the first copy once more as
a stream gives them: so the synthesizer learns what it will hear live.
"""

from __future__ import annotations

import functools
import importlib.resources
from pathlib import Path

import numpy as np
import soundfile
import torch

from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import PhoneticStream
from voicegraph.nodes.content.phonetic_windows import whole
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.phonetic_card import LAYER

from .augmentation import listening
from .workdir import COPIES, Workplace, write_whole

ENCODER = (
    Path(str(importlib.resources.files("voicegraph.pipelines"))) / "models" / "phonetic.safetensors"
)
CLEAN_WHOLE, CLEAN_STREAM = 0, COPIES + 1
PERTURBED_WHOLE, PERTURBED_STREAM = tuple(range(1, COPIES + 1)), (COPIES + 2,)
"""Which version of the features is which."""


def identity() -> EncoderIdentity:
    """The encoder and the layer."""
    return open_phonetic(ENCODER)[1].identity(LAYER)


def jobs(place: Workplace) -> list[tuple]:
    """What is still to be listened to."""
    return [(place, number) for number in place.spoken() if not place.features(number).exists()]


def listen(place: Workplace, number: int) -> None:
    """``content`` of one utterance: float16 ``[versions, frames, dim]``."""
    network = _network()
    clean = torch.from_numpy(listening(place, number).astype(np.float32))
    copies = [_read(place.copy(number, copy), len(clean)) for copy in range(COPIES)]
    stream = PhoneticStream(network, LAYER)
    made = [whole(network, audio, LAYER) for audio in (clean, *copies)]
    made += [stream.whole(audio) for audio in (clean, copies[0])]
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
