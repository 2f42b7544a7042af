"""A deeper student that learns phones and a teacher's features."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.training.channel.augmentation import Odds
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.encoder import _grown_objective as grown_objective
from voicegraph.training.encoder import _targets as targets
from voicegraph.training.encoder import _whisper_basis as whisper_basis
from voicegraph.training.encoder._dataset import UNKNOWN, load_datasets
from voicegraph.training.encoder._distributed import Worker
from voicegraph.training.encoder._grown_objective import GrownObjective
from voicegraph.training.encoder._train import EncoderTraining
from voicegraph.training.encoder._workdir import EncoderWorkdir

TOKENS = tuple(f"<{number}>" for number in range(178))


def test_directions_are_in_the_order_of_what_they_explain() -> None:
    random = np.random.default_rng(1)
    hidden = random.standard_normal((500, 3)) * (3.0, 2.0, 1.0)
    found = hidden @ random.standard_normal((3, 8)) + 100 * np.arange(8)
    found[:, 7] *= 1000  # a dimension that is far larger than the others
    basis = whisper_basis.fit(found, 3)
    made = basis.reduce(found)
    assert np.abs(made.mean(0)).max() < 1e-2
    spread = made.std(0)
    assert spread[0] > spread[1] > spread[2]
    scaled = (found - found.mean(0)) / found.std(0)
    assert (spread**2).sum() == pytest.approx((scaled**2).sum(1).mean(), rel=1e-3)


@pytest.fixture
def learning(
    workdir: EncoderWorkdir, teacher: PhoneticNetwork, monkeypatch: pytest.MonkeyPatch
) -> EncoderTraining:
    """A training with a student of one block more than its first network, and small targets."""
    monkeypatch.setattr(grown_objective, "BLOCKS", teacher.sizes.blocks + 1)
    monkeypatch.setattr(GrownObjective, "layer", teacher.sizes.blocks)
    made = EncoderWorkdir(workdir.root, "phonetic-2-hama")
    for name in made.names():
        targets.make(made, name, "hama")
    made.transcript("books-412-1-0").parent.mkdir()
    np.save(made.transcript("books-412-1-0"), np.array([43, 44, 45], np.int16))
    learned, held_out = load_datasets(made, 1, Odds())
    objective = GrownObjective(teacher, TOKENS, learned, held_out)
    worker = Worker(0, 1, torch.device("cpu"))
    return EncoderTraining(made, learned, objective, worker, Budget(0, 40), 0.01, 3, 60)


def test_all_losses_fall(learning: EncoderTraining) -> None:
    batch = learning.training_set.batch(3, 0, 6, 60)
    before = learning.objective.losses(batch, whole=False)
    figures = learning.run()
    after = learning.objective.losses(batch, whole=False)
    assert len(before.parts) == 3
    for name, one, other in zip(
        ("error", "phones", "sequence"), before.parts, after.parts, strict=True
    ):
        assert other < 0.95 * one, name
    assert set(figures) == {
        f"{name}{case}"
        for name in ("error", "cosine", "phone error")
        for case in ("", " 10 dB", " room", " whole")
    }


def test_pieces_without_phones_teach_features_alone(learning: EncoderTraining) -> None:
    batch = learning.training_set.batch(3, 0, 2, 60)
    batch.phones.fill_(UNKNOWN)
    found = learning.objective.losses(batch, whole=True)
    assert found.parts[0] > 0
    assert found.parts[1] == found.parts[2] == 0


def test_sequence_of_phones_leaves_out_silence() -> None:
    phones = np.array([0, 0, 43, 43, UNKNOWN, 43, 0, 51, 51])
    assert grown_objective._spoken(phones).tolist() == [43, 43, 51]
