"""The glide that live gains share."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from voicegraph.nodes.dsp.param_glide import db_to_linear, decay, glide, scale

RATE = 16000.0


def test_decibels_are_of_amplitude() -> None:
    assert db_to_linear(0.0) == 1.0
    assert db_to_linear(20.0) == pytest.approx(10.0)
    assert db_to_linear(-6.0) == pytest.approx(0.501, abs=1e-3)


def test_glide_is_exponential_with_5_ms() -> None:
    value = torch.tensor([1.0, 0.0], dtype=torch.float64)
    path = glide(value, 0.0, RATE, 80)  # 5 ms
    assert path[0, -1] == pytest.approx(np.exp(-1))
    assert path[0, 1] / path[0, 0] == pytest.approx(decay(RATE))
    assert (path[1] == 0).all()
    assert value[0] == path[0, -1]


def test_glide_arrives_exactly() -> None:
    value = torch.tensor([1.0], dtype=torch.float64)
    glide(value, 0.3, RATE, 16000)
    assert value.item() == 0.3
    audio = torch.randn(1, 2, 10)
    assert torch.equal(scale(audio, value, 20 * np.log10(0.3), RATE), audio * 0.3)


@settings(deadline=None)
@given(
    sizes=st.lists(st.integers(1, 300), min_size=1, max_size=8),
    start=st.floats(0, 10),
    target=st.floats(0, 10),
)
def test_glide_is_the_same_in_blocks_of_any_size(
    sizes: list[int], start: float, target: float
) -> None:
    whole = glide(torch.tensor([start], dtype=torch.float64), target, RATE, sum(sizes))
    value = torch.tensor([start], dtype=torch.float64)
    parts = torch.cat([glide(value, target, RATE, size) for size in sizes], 1)
    assert (whole - parts).abs().max() <= 3e-7 * target + 1e-13


def test_scale_at_unity_is_the_same_tensor() -> None:
    audio = torch.randn(2, 1, 10)
    assert scale(audio, torch.ones(2, dtype=torch.float64), 0.0, RATE) is audio
