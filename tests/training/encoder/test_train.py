"""Training of the streaming encoder: it learns, and goes on where it was."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest
import torch

from voicegraph.graph.files.models import identify
from voicegraph.nodes.content.phonetic_file import load_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.schemas.phonetic_card import PhoneticCard
from voicegraph.training.encoder import _train as train
from voicegraph.training.encoder._dataset import collected as material
from voicegraph.training.encoder._distillation_loss import Losses
from voicegraph.training.encoder._distributed import Crew, gathered
from voicegraph.training.encoder._export import export
from voicegraph.training.encoder._workdir import Place
from voicegraph.training.voice.train import Budget

ALONE = Crew(0, 1, torch.device("cpu"))


def _training(
    place: Place, teacher: PhoneticNetwork, steps: int, crew: Crew = ALONE
) -> train.Training:
    learned, held_out = material(place, 1)
    return train.Training(place, learned, held_out, teacher, crew, Budget(0, steps), 2, 60)


def test_learns(place: Place, teacher: PhoneticNetwork) -> None:
    training = _training(place, teacher, 60)
    batch = training.material.batch(0, 0, 4, 60)
    before, told = (
        training.lesson.losses(training.student, batch, whole=False),
        training.judge.judged(training.student),
    )
    assert told["cosine whole"] > 0.99, "it begins as the teacher"
    after_run = training.run()
    after = training.lesson.losses(training.student, batch, whole=False)
    assert after.error < 0.9 * before.error
    assert after.total < before.total
    line = json.loads(place.log.read_text())
    assert line["step"] == 60
    assert line["cosine"] == after_run["cosine"]


def test_only_what_makes_features_is_trained(place: Place, teacher: PhoneticNetwork) -> None:
    training = _training(place, teacher, 2)
    training.run()
    changed = {
        name.partition(".")[0]
        for name, held in training.student.state_dict().items()
        if not torch.equal(held, teacher.state_dict()[name])
    }
    assert changed == {"stem", "blocks"}


def test_goes_on_to_the_same_weights(place: Place, teacher: PhoneticNetwork) -> None:
    whole = _training(place, teacher, 4)
    whole.run()
    place.checkpoint.unlink()
    part = _training(place, teacher, 4)
    for step in range(2):
        part._timed_step(step / 4)
    part._save()
    rest = _training(place, teacher, 4)
    assert rest.step == 2
    rest.run()
    for name, held in whole.student.state_dict().items():
        assert torch.equal(held, rest.student.state_dict()[name]), name


def test_ctrl_c_keeps_what_was_learned(
    place: Place, teacher: PhoneticNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = _training(place, teacher, 4)
    step = training._timed_step

    def interrupted(done: float) -> Losses:
        if training.step == 1:
            signal.raise_signal(signal.SIGINT)
        return step(done)

    monkeypatch.setattr(training, "_timed_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.run()
    assert _training(place, teacher, 4).step == 2


def test_export(place: Place, teacher: PhoneticNetwork) -> None:
    training = _training(place, teacher, 1)
    training.run()
    target = place.root / "encoder.safetensors"
    export(training, ("a", "e", "i", "o", "u", "<blank>"), target)
    found = load_phonetic(target)
    for name, held in training.student.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], held, atol=2e-3, rtol=2e-3)
    card = identify(target).card
    assert isinstance(card, PhoneticCard)
    assert card.title == "voicegraph phonetic 1"
    assert "LibriSpeech" in card.training_data
    assert "1 steps" in card.training_data


class _Along:
    """What the other process of a crew does."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, crew: Crew) -> list[float]:
        weight = torch.nn.Parameter(torch.zeros(3))
        weight.grad = torch.full((3,), self.value * (crew.part + 1))
        crew.average([weight])
        return [*weight.grad.tolist(), crew.agreed(0.25 + crew.part)]


@pytest.mark.slow
def test_a_crew_takes_the_mean_of_all_gradients_and_the_first_ones_clock() -> None:
    along = _Along(2.0)
    with gathered(2, torch.device("cpu"), along) as crew:
        np.testing.assert_allclose(along(crew), [3.0, 3.0, 3.0, 0.25])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_learns_on_a_gpu(place: Place, teacher: PhoneticNetwork) -> None:
    device = torch.device("cuda")
    training = _training(place, teacher.to(device), 10, Crew(0, 1, device))
    assert training.run()["cosine"] > 0
