"""The network of SwiftF0 against the package it comes from, and in parts."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voicegraph.graph.files.models import open_archive
from voicegraph.nodes.f0.swift_network import HOP, WEIGHTS, SwiftDetector, build_swift, load_swift

from ...tolerance import TENTH_OF_A_CENT, assert_close

pytestmark = pytest.mark.numeric

RATE = 16000


def _speech(seconds: float) -> np.ndarray:
    """A glide with pauses and noise."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 * 2 ** np.sin(time)) / RATE
    voice = np.sum([np.cos(k * phase) / k for k in range(1, 12)], 0) * (np.sin(4 * time) > -0.3)
    noise = np.random.default_rng(5).standard_normal(len(time))
    return (0.1 * voice + 0.003 * noise).astype(np.float32)


@pytest.mark.parametrize("form", ["plain", "here"])
def test_pitch_and_confidence_are_the_package_s(form: str) -> None:
    package = pytest.importorskip("swift_f0", reason="compares with pip install swift-f0")
    audio = _speech(3.01)
    own = package.SwiftF0(threads=1).detect(audio, RATE, 60.0, 550.0)
    network = load_swift() if form == "here" else build_swift(open_archive(WEIGHTS)).eval()
    pitch, confidence = SwiftDetector(network, 60.0, 550.0).whole(torch.from_numpy(audio))
    voiced = own.confidence > 0.3
    assert 0.3 < voiced.mean() < 0.9
    assert_close(pitch.numpy()[voiced], own.pitch_hz[voiced], TENTH_OF_A_CENT)
    np.testing.assert_allclose(confidence.numpy(), own.confidence, atol=1e-4)


@pytest.mark.parametrize("first", [0, 1, 9, 14, 19])
def test_some_frames_are_those_of_all(first: int) -> None:
    detector = SwiftDetector(load_swift(), 60.0, 550.0)
    audio = torch.from_numpy(np.stack([_speech(0.4), _speech(1.0)[-6400:]]))
    with torch.inference_mode():
        every = detector(audio)
        some = detector(audio, first, 3)
    for whole, part in zip(every, some, strict=True):
        np.testing.assert_allclose(part.numpy(), whole[:, first : first + 3].numpy(), rtol=1e-5)


def test_a_recording_is_computed_in_parts(monkeypatch) -> None:
    detector = SwiftDetector(load_swift(), 60.0, 550.0)
    audio = torch.from_numpy(_speech(1.2))
    whole = detector.whole(audio)
    monkeypatch.setattr("voicegraph.nodes.f0.swift_network._AT_ONCE", 10)
    for found, expected in zip(detector.whole(audio), whole, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5)


@pytest.mark.parametrize("samples", [1, 255, HOP])
def test_a_short_recording_has_one_frame(samples: int) -> None:
    pitch, confidence = SwiftDetector(load_swift(), 60.0, 550.0).whole(torch.zeros(samples))
    assert pitch.shape == confidence.shape == (1,)
    assert confidence.item() == 0


@pytest.mark.parametrize("first", [0, 1, 5, 9, 16])
def test_products_see_what_convolutions_see(monkeypatch, first: int) -> None:
    """At the ends of the audio and inside, where only some frames and bands are computed."""
    network, audio = load_swift(), torch.from_numpy(_speech(0.4)[None])
    with torch.inference_mode():
        few = network(audio, first, 3)
        monkeypatch.setattr("voicegraph.nodes.f0.swift_network._FEW", 0)
        every = network(audio, first, 3)
    for found, expected in zip(few, every, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-4, atol=1e-4)
