"""The network against the package whose weights it has, and against itself in parts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from voicegraph.nodes.content._phonetic_example import SIZES, tensors
from voicegraph.nodes.content.phonetic_file import load_phonetic
from voicegraph.nodes.content.phonetic_network import SHORTEST, PhoneticNetwork, PhoneticSizes

from ...tolerance import SMALL_NETWORK, assert_close

pytestmark = pytest.mark.numeric

ROOT = Path(__file__).resolve().parents[3]
SHIPPED = ROOT / "pipelines" / "models" / "phonetic.safetensors"
TEACHER = ROOT / "tests" / "data" / "reference" / "hama.safetensors"


@pytest.fixture
def network() -> PhoneticNetwork:
    made = PhoneticNetwork(SIZES).eval().requires_grad_(False)
    made.load_state_dict(tensors())
    return made


def _noise(samples: int, streams: int = 1) -> torch.Tensor:
    return torch.randn(streams, samples, generator=torch.Generator().manual_seed(3)) * 0.1


def test_weights_of_the_package_give_what_it_gives() -> None:
    """The package rounds to float16 in between: its own steps are of the order of 0.001."""
    with np.load(ROOT / "tests" / "data" / "reference" / "phonetic.npz") as held:
        audio = torch.from_numpy(held["audio_16k"].astype(np.float32) / 32768)
        expected = held["log_probabilities"].astype(np.float32)
    found = load_phonetic(TEACHER).log_probabilities(audio[None])[0].numpy()
    assert found.shape == expected.shape == (51, 191)
    assert (found.argmax(1) == expected.argmax(1)).all()
    assert np.abs(found - expected).mean() < 2e-3
    assert np.abs(found - expected).max() < 0.1


def test_sizes_of_the_shipped_weights() -> None:
    assert load_phonetic(SHIPPED).sizes == PhoneticSizes(
        mels=80, hidden=144, inner=576, blocks=4, taps=31, tokens=191, heads=4
    )


@pytest.mark.parametrize("samples", [SHORTEST, 319, 320, 321, 3200, 3359])
def test_frames(network: PhoneticNetwork, samples: int) -> None:
    assert network(_noise(samples), 2).shape == (1, samples // 320 + 1, SIZES.hidden)


def test_frame_is_centred_at_its_time(network: PhoneticNetwork) -> None:
    """A click moves the spectrum around its own frame alone."""
    audio = _noise(6400) * 1e-3
    clicked = audio.clone()
    clicked[0, 3200] += 1
    moved = (network.log_mel(clicked) - network.log_mel(audio)).abs().amax(1)[0]
    assert moved.argmax() == 20
    assert set(moved.nonzero()[:, 0].tolist()) <= {19, 20, 21}


@pytest.mark.parametrize("layer", [1, 2, 3])
@pytest.mark.parametrize(("first", "count"), [(0, 1), (0, 31), (7, 2), (13, 5), (26, 5), (30, 1)])
def test_part_is_the_part_of_the_whole(
    network: PhoneticNetwork, layer: int, first: int, count: int
) -> None:
    audio = _noise(9600, 2)
    whole = network(audio, layer)
    part = network(audio, layer, first, count)
    assert_close(part, whole[:, first : first + count], SMALL_NETWORK)


def test_streams_are_apart(network: PhoneticNetwork) -> None:
    audio = _noise(4800, 3)
    assert_close(network(audio, 3)[1:2], network(audio[1:2], 3), SMALL_NETWORK)


def test_silence_is_finite(network: PhoneticNetwork) -> None:
    assert network.log_probabilities(torch.zeros(1, 1600)).isfinite().all()


@pytest.mark.parametrize(
    ("samples", "arguments", "said"),
    [
        (200, (1,), "200 samples are too few"),
        (1600, (0,), "there is no block 0, but 1 to 3"),
        (1600, (4,), "there is no block 4"),
        (1600, (1, 4, 3), "frames 4 to 7 are not among the 6"),
        (1600, (1, -1, 3), "frames -1 to 2"),
    ],
)
def test_what_cannot_be(
    network: PhoneticNetwork, samples: int, arguments: tuple[int, ...], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        network(_noise(samples), *arguments)
