"""Polishing: discriminators learn to tell, the synthesizer learns from them, and it can go on."""

from __future__ import annotations

import signal

import pytest
import torch

from voicegraph.schemas.source_filter_card import SourceFilterSizes
from voicegraph.training.voice._dataset import Material, read
from voicegraph.training.voice._discriminators import (
    Discriminators,
    critics_loss,
    doubt_loss,
    feature_loss,
)
from voicegraph.training.voice.adversarial_finetune import Polish
from voicegraph.training.voice.train import Budget, Training
from voicegraph.training.voice.workdir import Workplace

SIZES = SourceFilterSizes(content=8, channels=16, inner=24, blocks=2, bands=24)


def _polish(place: Workplace, steps: int) -> Polish:
    utterances = [read(place, number) for number in place.spoken()]
    material = Material(utterances[:3], seed=1)
    training = Training(place, material, utterances[3:], Budget(1.0, 1), SIZES, 2, 50)
    return Polish(training, Budget(1.0, steps), pieces=2, frames=40)


def _sounds() -> tuple[torch.Tensor, torch.Tensor]:
    """A buzz of 150 Hz and noise of the same power, ``[2, 9600]`` each."""
    generator = torch.Generator().manual_seed(1)
    time = torch.arange(9600) / 24000
    buzz = torch.stack([torch.cos(2 * torch.pi * 150 * k * time) for k in range(1, 40)]).mean(0)
    noise = torch.randn(2, 9600, generator=generator)
    return (buzz / buzz.std()).repeat(2, 1) * 0.1, noise * 0.1


def test_discriminators_learn_to_tell() -> None:
    torch.manual_seed(1)
    critics, (own, made) = Discriminators(), _sounds()
    optimizer = torch.optim.AdamW(critics.parameters(), 2e-3)
    for _ in range(30):
        optimizer.zero_grad()
        critics_loss(critics(own), critics(made)).backward()
        optimizer.step()
    for ours, theirs in zip(critics(own), critics(made), strict=True):
        assert ours[-1].mean() > theirs[-1].mean() + 0.5
    assert doubt_loss(critics(made)) > doubt_loss(critics(own)) + 0.5


def test_features_of_the_same_are_the_same() -> None:
    torch.manual_seed(1)
    critics, (own, made) = Discriminators(), _sounds()
    assert feature_loss(critics(own), critics(own)) == 0
    assert feature_loss(critics(own), critics(made)) > 0.05


def test_only_the_synthesizer_moves_by_its_own_loss(place: Workplace) -> None:
    polish = _polish(place, 1)
    before = {name: p.clone() for name, p in polish.network.named_parameters()}
    polish._step()
    moved = [name for name, p in polish.network.named_parameters() if not p.equal(before[name])]
    assert moved
    assert all(p.requires_grad for p in polish.critics.parameters())


def test_goes_on_to_the_same_weights(place: Workplace, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("voicegraph.training.voice.adversarial_finetune._ALONE", 2)
    whole = _polish(place, 5)
    found = whole.run()
    assert found.keys() == {"clean", "perturbed", "streaming"}
    whole.checkpoint.unlink()
    part = _polish(place, 5)
    for _ in range(3):
        part._timed_step()
    part._save()
    rest = _polish(place, 5)
    assert rest.step == 3
    rest.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, rest.network.state_dict()[name]), name


def test_ctrl_c_waits_for_the_end_of_a_step(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _polish(place, 5)
    whole.run()
    whole.checkpoint.unlink()
    part = _polish(place, 5)
    judge = part._judge

    def pressed(*sounds: torch.Tensor) -> None:
        judge(*sounds)  # the discriminators have moved, the synthesizer has not
        if part.step == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(part, "_judge", pressed)
    with pytest.raises(KeyboardInterrupt):
        part.run()
    rest = _polish(place, 5)
    assert rest.step == 3
    rest.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, rest.network.state_dict()[name]), name


def test_a_finished_one_is_left_as_it_is(place: Workplace) -> None:
    first = _polish(place, 2)
    first.run()
    again = _polish(place, 2)
    again.run()
    assert (again.step, again.training.polished) == (2, 2)
    assert torch.equal(first.network.last.weight, again.network.last.weight)
