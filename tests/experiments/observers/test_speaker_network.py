"""The bundled network for speaker embeddings."""

from __future__ import annotations

import numpy as np
import soundfile
import torch

from voicegraph.experiments.observers.speaker_network import load_speaker_network
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.training.voice import _speaker_selection as speaker_selection
from voicegraph.training.voice import augmentation


def _whole(audio: np.ndarray) -> np.ndarray:
    found = load_speaker_network().embed_windows(torch.from_numpy(audio.astype(np.float32)))
    return speaker_selection.utterance_vector(found.numpy())


def test_speaker_similarity_tells_speakers_apart() -> None:
    audio, _ = soundfile.read(bundled_recording.path())
    first, last = audio[:64000], audio[-64000:]
    assert _whole(first) @ _whole(last) > 0.7
    assert _whole(first) @ _whole(0.1 * last) > 0.7
    other = augmentation.resynthesize(last, 1.2, 220.0)
    assert _whole(first) @ _whole(other) < speaker_selection.SAME_SPEAKER


def test_every_window_has_one_embedding() -> None:
    network = load_speaker_network()
    lengths = {8000: 1, 16000: 1, 25600: 2, 64000: 5}
    for samples, count in lengths.items():
        found = network.embed_windows(
            torch.randn(samples, generator=torch.Generator().manual_seed(1))
        )
        assert found.shape == (count, 256), samples
        torch.testing.assert_close(found.norm(dim=1), torch.ones(count))
