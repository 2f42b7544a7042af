"""The step features: content features of the speech and of its augmented copies.

Features of every file with the whole utterance as context, and those of the speech and of the
first copy once more as a stream gives them, so that the synthesizer also knows live features.
"""

from __future__ import annotations

import functools
import importlib.resources
from pathlib import Path

import numpy as np
import soundfile
import torch

from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_frames import full_context_features
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import PhoneticStream
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.phonetic_card import LAYER

from ..common.atomic_files import write_arrays
from .augmentation import load_for_encoder
from .workdir import COPIES, Workdir

ENCODER = (
    Path(str(importlib.resources.files("voicegraph.pipelines"))) / "models" / "phonetic.safetensors"
)
CLEAN_WHOLE, CLEAN_STREAM = 0, COPIES + 1
PERTURBED_WHOLE, PERTURBED_STREAM = tuple(range(1, COPIES + 1)), (COPIES + 2,)
"""Index of each version of the features."""


def identity() -> EncoderIdentity:
    """The encoder and the layer that the features come from."""
    return open_phonetic(ENCODER)[1].identity(LAYER)


def jobs(workdir: Workdir) -> list[tuple]:
    """Arguments of :func:`extract` for all files that are missing."""
    return [
        (workdir, number)
        for number in workdir.utterances()
        if not workdir.features(number).exists()
    ]


def extract(workdir: Workdir, number: int) -> None:
    """Writes ``content`` of one utterance: float16 ``[versions, frames, dim]``."""
    network = _network()
    clean = torch.from_numpy(load_for_encoder(workdir, number).astype(np.float32))
    copies = [_read(workdir.augmented_copy(number, n), len(clean)) for n in range(COPIES)]
    stream = PhoneticStream(network, LAYER)
    made = [full_context_features(network, audio, LAYER) for audio in (clean, *copies)]
    made += [stream.whole(audio) for audio in (clean, copies[0])]
    write_arrays(workdir.features(number), content=torch.stack(made).half().numpy())


def _read(path: Path, count: int) -> torch.Tensor:
    audio, _ = soundfile.read(path, dtype="float32")
    return torch.from_numpy(np.resize(np.pad(audio, (0, max(count - len(audio), 0))), count))


@functools.cache
def _network() -> PhoneticNetwork:
    return load_phonetic(ENCODER)
