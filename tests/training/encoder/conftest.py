"""The working folder of an encoder, with noise for speech."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from voicegraph.nodes.content import _phonetic_example as phonetic_example
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.training.common import hama as teaching
from voicegraph.training.encoder import _targets as targets
from voicegraph.training.encoder._workdir import COPIES, EncoderWorkdir

NAMES = ("books-412-1-0", "books-8-1-0", "chorus-00000", "reader-00000")
SAMPLES = 24000


@pytest.fixture
def teacher() -> PhoneticNetwork:
    network = PhoneticNetwork(phonetic_example.SIZES).eval()
    network.load_state_dict(phonetic_example.tensors())
    return network.requires_grad_(False)


@pytest.fixture
def workdir(
    tmp_path: Path, teacher: PhoneticNetwork, monkeypatch: pytest.MonkeyPatch
) -> EncoderWorkdir:
    """Four utterances with copies and targets, one of them with phones."""
    made = EncoderWorkdir(tmp_path, "phonetic-1")
    random = np.random.default_rng(1)
    monkeypatch.setattr(teaching, "network", lambda: teacher)
    for name in NAMES:
        for path in (made.speech(name), *(made.augmented_copy(name, n) for n in range(COPIES))):
            path.parent.mkdir(exist_ok=True)
            soundfile.write(path, 0.1 * random.standard_normal(SAMPLES), 16000)
        targets.make(made, name, "hama")
        if name.startswith("chorus"):
            made.phones(name).parent.mkdir()
            np.save(made.phones(name), random.integers(0, 20, SAMPLES // 320 + 1).astype(np.int16))
    torch.manual_seed(1)
    return made
