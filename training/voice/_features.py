"""The step features: content features of the speech and of its augmented copies.

Features of every file with the whole utterance as context, and those of the speech and of the
first copy once more as a stream gives them, so that the synthesizer also knows live features.
"""

from __future__ import annotations

import functools
import importlib.resources
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from voicegraph.experiments.task import Result, Results
from voicegraph.nodes.content.phonetic_file import load_phonetic, open_phonetic
from voicegraph.nodes.content.phonetic_frames import full_context_features
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.nodes.content.phonetic_stream import PhoneticStream
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.phonetic_card import LAYER

from ._sound_work import SoundWork, load_for_encoder, read_flac
from .workdir import COPIES

ENCODER = (
    Path(str(importlib.resources.files("voicegraph.pipelines"))) / "models" / "phonetic.safetensors"
)
CLEAN_WHOLE, CLEAN_STREAM = 0, COPIES + 1
PERTURBED_WHOLE, PERTURBED_STREAM = tuple(range(1, COPIES + 1)), (COPIES + 2,)
"""Index of each version of the features."""


def identity() -> EncoderIdentity:
    """The encoder and the layer that the features come from."""
    return open_phonetic(ENCODER)[1].identity(LAYER)


@dataclass(frozen=True, slots=True)
class FeaturesWork(SoundWork):
    """Extracts the features of an utterance.

    Attributes:
        copies: keys of its copies.
    """

    copies: tuple[str, ...]

    def run(self, needs: Results) -> Result:
        """``content``, float16 ``[versions, frames, dim]``."""
        network = _network()
        sound = load_for_encoder(self.sound.checked())
        clean = torch.from_numpy(sound.astype(np.float32))
        copies = [_fit(read_flac(needs.read(key), "float32"), len(clean)) for key in self.copies]
        stream = PhoneticStream(network, LAYER)
        made = [full_context_features(network, audio, LAYER) for audio in (clean, *copies)]
        made += [stream.whole(audio) for audio in (clean, copies[0])]
        return Result({"content": torch.stack(made).half().numpy()})


def _fit(audio: np.ndarray, count: int) -> torch.Tensor:
    return torch.from_numpy(np.resize(np.pad(audio, (0, max(count - len(audio), 0))), count))


@functools.cache
def _network() -> PhoneticNetwork:
    return load_phonetic(ENCODER)
