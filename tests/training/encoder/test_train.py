"""Training of the streaming encoder: it learns, and resumes."""

from __future__ import annotations

import json
import signal

import numpy as np
import pytest
import torch

from voicegraph.graph.files.models import identify
from voicegraph.nodes.content import _phonetic_example as phonetic_example
from voicegraph.nodes.content.phonetic_file import load_phonetic
from voicegraph.nodes.content.phonetic_network import PhoneticNetwork
from voicegraph.schemas.phonetic_card import PhoneticCard
from voicegraph.training.channel.augmentation import Odds
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.encoder import _train as train
from voicegraph.training.encoder._dataset import load_datasets as load_datasets
from voicegraph.training.encoder._distributed import Worker, worker_group
from voicegraph.training.encoder._export import export
from voicegraph.training.encoder._hama_objective import HamaObjective
from voicegraph.training.encoder._learning_curves import draw
from voicegraph.training.encoder._objective import Losses
from voicegraph.training.encoder._recipes import RECIPES
from voicegraph.training.encoder._workdir import EncoderWorkdir

TOKENS = ("a", "e", "i", "o", "u", "<blank>")
ALONE = Worker(0, 1, torch.device("cpu"))


def _training(
    workdir: EncoderWorkdir, teacher: PhoneticNetwork, steps: int, worker: Worker = ALONE
) -> train.EncoderTraining:
    learned, held_out = load_datasets(workdir, 1, Odds())
    objective = HamaObjective(teacher, TOKENS, learned, held_out)
    return train.EncoderTraining(workdir, learned, objective, worker, Budget(0, steps), 4e-4, 2, 60)


def test_distillation_loss_falls(workdir: EncoderWorkdir, teacher: PhoneticNetwork) -> None:
    training = _training(workdir, teacher, 60)
    batch = training.training_set.batch(0, 0, 4, 60)
    objective = training.objective
    before, figures = objective.losses(batch, whole=False), objective.validate()
    assert figures["cosine whole"] > 0.99, "the student starts as the teacher"
    after_run = training.run()
    after = objective.losses(batch, whole=False)
    assert after.parts[0] < 0.9 * before.parts[0]
    assert after.total < before.total
    first, last = map(json.loads, workdir.log.read_text().splitlines())
    assert (first["step"], last["step"]) == (0, 60)
    assert (first["cosine"], last["cosine"]) == (figures["cosine"], after_run["cosine"])
    draw(workdir.log, workdir.curves)
    assert workdir.curves.read_bytes()[:4] == b"\x89PNG"


def test_only_blocks_below_the_features_change(
    workdir: EncoderWorkdir, teacher: PhoneticNetwork
) -> None:
    training = _training(workdir, teacher, 2)
    training.run()
    changed = {
        name.partition(".")[0]
        for name, held in training.objective.student.state_dict().items()
        if not torch.equal(held, teacher.state_dict()[name])
    }
    assert changed == {"stem", "blocks"}


def test_resumed_training_gives_the_same_weights(
    workdir: EncoderWorkdir, teacher: PhoneticNetwork
) -> None:
    whole = _training(workdir, teacher, 4)
    whole.run()
    workdir.checkpoint.unlink()
    part = _training(workdir, teacher, 4)
    for step in range(2):
        part.timed_step(step / 4)
    part.save()
    rest = _training(workdir, teacher, 4)
    assert rest.step == 2
    rest.run()
    for name, held in whole.objective.student.state_dict().items():
        assert torch.equal(held, rest.objective.student.state_dict()[name]), name


def test_ctrl_c_saves_the_checkpoint(
    workdir: EncoderWorkdir, teacher: PhoneticNetwork, monkeypatch: pytest.MonkeyPatch
) -> None:
    training = _training(workdir, teacher, 4)
    step = training.timed_step

    def interrupted(done: float) -> Losses:
        if training.step == 1:
            signal.raise_signal(signal.SIGINT)
        return step(done)

    monkeypatch.setattr(training, "timed_step", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.run()
    assert _training(workdir, teacher, 4).step == 2


def test_exported_encoder_has_the_trained_weights(
    workdir: EncoderWorkdir, teacher: PhoneticNetwork
) -> None:
    training = _training(workdir, teacher, 1)
    training.run()
    target = workdir.root / "encoder.safetensors"
    export(training, RECIPES["phonetic-1"], target)
    found = load_phonetic(target)
    for name, held in training.objective.student.state_dict().items():
        torch.testing.assert_close(found.state_dict()[name], held, atol=2e-3, rtol=2e-3)
    card = identify(target).card
    assert isinstance(card, PhoneticCard)
    assert card.title == "voicegraph phonetic 1"
    assert "LibriSpeech" in card.training_data
    assert "1 steps" in card.training_data


def test_encoder_in_the_space_of_another_one_passes_for_it(
    workdir: EncoderWorkdir, teacher: PhoneticNetwork
) -> None:
    earlier, later = workdir.root / "earlier.safetensors", workdir.root / "later.safetensors"
    phonetic_example.write(earlier)
    learned, held_out = load_datasets(workdir, 1, Odds())
    objective = HamaObjective(teacher, TOKENS, learned, held_out, load_phonetic(earlier))
    training = train.EncoderTraining(workdir, learned, objective, ALONE, Budget(0, 1), 1e-4, 2, 60)
    training.run()
    export(training, RECIPES["phonetic-1.1"], later, earlier)
    (first, second) = (identify(path).card for path in (earlier, later))
    assert isinstance(first, PhoneticCard)
    assert isinstance(second, PhoneticCard)
    assert first.fingerprint != second.fingerprint
    assert second.identity(objective.layer) == first.identity(objective.layer)
    assert second.identity(1) != first.identity(1), "only the features that were learned"
    assert second.source.endswith(f"It goes on from {first.title}, and gives the same features")


class _Average:
    """What every worker does."""

    def __init__(self, value: float) -> None:
        self.value = value

    def __call__(self, worker: Worker) -> list[float]:
        weight = torch.nn.Parameter(torch.zeros(3))
        weight.grad = torch.full((3,), self.value * (worker.rank + 1))
        worker.average_gradients([weight])
        return [*weight.grad.tolist(), worker.broadcast(0.25 + worker.rank)]


@pytest.mark.slow
def test_workers_average_gradients_and_share_a_clock() -> None:
    average = _Average(2.0)
    with worker_group(2, torch.device("cpu"), average) as worker:
        np.testing.assert_allclose(average(worker), [3.0, 3.0, 3.0, 0.25])


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_trains_on_a_gpu(workdir: EncoderWorkdir, teacher: PhoneticNetwork) -> None:
    device = torch.device("cuda")
    training = _training(workdir, teacher.to(device), 10, Worker(0, 1, device))
    assert training.run()["cosine"] > 0
