"""Adversarial fine-tuning: discriminators and generator learn, and it resumes."""

from __future__ import annotations

import signal

import pytest
import torch

from voicegraph.schemas.source_filter_card import SourceFilterSizes
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.voice._dataset import VoiceTrainingSet, load_utterance
from voicegraph.training.voice._discriminators import (
    Discriminators,
    discriminator_loss,
    feature_matching_loss,
    generator_loss,
)
from voicegraph.training.voice.adversarial_finetune import AdversarialFinetuning
from voicegraph.training.voice.prepared_speech import PreparedSpeech
from voicegraph.training.voice.train import VoiceTraining

SIZES = SourceFilterSizes(content=8, channels=16, inner=24, blocks=2, bands=24)


def _finetuning(speech: PreparedSpeech, steps: int) -> AdversarialFinetuning:
    utterances = [load_utterance(speech, number) for number in speech.numbers]
    training_set = VoiceTrainingSet(utterances[:3], seed=1)
    training = VoiceTraining(
        speech.workdir, training_set, utterances[3:], Budget(1.0, 1), SIZES, 2, 50
    )
    return AdversarialFinetuning(training, Budget(1.0, steps), pieces=2, frames=40)


def _sounds() -> tuple[torch.Tensor, torch.Tensor]:
    """A buzz of 150 Hz and noise of the same power, ``[2, 9600]`` each."""
    generator = torch.Generator().manual_seed(1)
    time = torch.arange(9600) / 24000
    buzz = torch.stack([torch.cos(2 * torch.pi * 150 * k * time) for k in range(1, 40)]).mean(0)
    noise = torch.randn(2, 9600, generator=generator)
    return (buzz / buzz.std()).repeat(2, 1) * 0.1, noise * 0.1


def test_discriminators_learn_to_discriminate() -> None:
    torch.manual_seed(1)
    discriminators, (own, made) = Discriminators(), _sounds()
    optimizer = torch.optim.AdamW(discriminators.parameters(), 2e-3)
    for _ in range(30):
        optimizer.zero_grad()
        discriminator_loss(discriminators(own), discriminators(made)).backward()
        optimizer.step()
    for ours, theirs in zip(discriminators(own), discriminators(made), strict=True):
        assert ours[-1].mean() > theirs[-1].mean() + 0.5
    assert generator_loss(discriminators(made)) > generator_loss(discriminators(own)) + 0.5


def test_feature_matching_loss_is_zero_for_equals() -> None:
    torch.manual_seed(1)
    discriminators, (own, made) = Discriminators(), _sounds()
    assert feature_matching_loss(discriminators(own), discriminators(own)) == 0
    assert feature_matching_loss(discriminators(own), discriminators(made)) > 0.05


def test_generator_step_leaves_gradients_enabled(speech: PreparedSpeech) -> None:
    finetuning = _finetuning(speech, 1)
    before = {name: p.clone() for name, p in finetuning.network.named_parameters()}
    finetuning.optimize(0.0)
    moved = [name for name, p in finetuning.network.named_parameters() if not p.equal(before[name])]
    assert moved
    assert all(p.requires_grad for p in finetuning.discriminators.parameters())


def test_resumed_finetuning_gives_the_same_weights(
    speech: PreparedSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("voicegraph.training.voice.adversarial_finetune._DISCRIMINATORS_ONLY", 2)
    whole = _finetuning(speech, 5)
    found = whole.run()
    assert found.keys() == {"clean", "perturbed", "streaming"}
    whole.checkpoint.unlink()
    part = _finetuning(speech, 5)
    for _ in range(3):
        part.timed_step(0.0)
    part.save()
    rest = _finetuning(speech, 5)
    assert rest.step == 3
    rest.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, rest.network.state_dict()[name]), name


def test_ctrl_c_waits_for_the_end_of_a_step(
    speech: PreparedSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _finetuning(speech, 5)
    whole.run()
    whole.checkpoint.unlink()
    part = _finetuning(speech, 5)
    train = part._train_discriminators

    def pressed(*sounds: torch.Tensor) -> None:
        train(*sounds)  # the discriminators have moved, the synthesizer has not
        if part.step == 2:
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(part, "_train_discriminators", pressed)
    with pytest.raises(KeyboardInterrupt):
        part.run()
    rest = _finetuning(speech, 5)
    assert rest.step == 3
    rest.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, rest.network.state_dict()[name]), name


def test_finished_finetuning_is_not_changed(speech: PreparedSpeech) -> None:
    first = _finetuning(speech, 2)
    first.run()
    again = _finetuning(speech, 2)
    again.run()
    assert (again.step, again.training.finetuned_steps) == (2, 2)
    assert torch.equal(first.network.last.weight, again.network.last.weight)
