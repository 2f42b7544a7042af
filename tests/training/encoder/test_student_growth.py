"""Deeper students."""

from __future__ import annotations

from typing import cast

import pytest
import torch

from voicegraph.nodes.content.phonetic_network import PhoneticBlock, PhoneticNetwork
from voicegraph.training.encoder._student_growth import grown


def test_new_blocks_only_normalize(teacher: PhoneticNetwork) -> None:
    blocks = teacher.sizes.blocks
    made = grown(teacher, blocks + 2, 9, 1)
    audio = 0.1 * torch.randn(1, 8000, generator=torch.Generator().manual_seed(1))
    below = teacher(audio, blocks)
    torch.testing.assert_close(made(audio, blocks), below)
    norm = cast("PhoneticBlock", teacher.blocks[-1]).norm
    torch.testing.assert_close(made(audio, blocks + 2), norm(norm(below)))
    assert made.head.out_features == 9


def test_network_is_not_made_shallower(teacher: PhoneticNetwork) -> None:
    with pytest.raises(ValueError, match="fewer"):
        grown(teacher, teacher.sizes.blocks - 1, 9, 1)
