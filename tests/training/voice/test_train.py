"""Training: it learns, goes on where it was, and ends as a voice that can be used."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch

from voicegraph.graph.files.models import identify
from voicegraph.nodes.retrieval._index_search import open_index
from voicegraph.nodes.synth.source_filter_file import load_source_filter
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.source_filter_card import SourceFilterCard, SourceFilterSizes
from voicegraph.training.voice import _features as features
from voicegraph.training.voice import _prosody as prosody
from voicegraph.training.voice import export
from voicegraph.training.voice._dataset import Batch, Material, read
from voicegraph.training.voice.train import Budget, Training, schedule
from voicegraph.training.voice.workdir import Workplace

SIZES = SourceFilterSizes(content=8, channels=16, inner=24, blocks=2, bands=24)


def _training(place: Workplace, steps: int, seed: int = 1) -> Training:
    utterances = [read(place, number) for number in place.spoken()]
    material = Material(utterances[:3], seed)
    budget = Budget(1.0, steps)
    return Training(place, material, utterances[3:], budget, SIZES, pieces=2, frames=50)


def test_learns(place: Workplace) -> None:
    training = _training(place, 150)
    before = training.validate()
    after = training.run()
    assert after.keys() == {"clean", "perturbed", "streaming"}
    assert all(after[name] < 0.8 * before[name] for name in after), (before, after)
    assert place.log.read_text().count("\n") == 1


def test_goes_on_to_the_same_weights(place: Workplace, tmp_path: Path) -> None:
    whole = _training(place, 6)
    whole.run()
    place.checkpoint.unlink()
    part = _training(place, 6)
    for step in range(3):
        part._timed_step(step / 6)
    part._save()
    rest = _training(place, 6)
    assert rest.step == 3
    rest.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, rest.network.state_dict()[name]), name


def test_ctrl_c_within_a_step_changes_nothing(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _training(place, 6)
    whole.run()
    place.checkpoint.unlink()
    part = _training(place, 6)
    drawn = part.material.batch

    def batch(step: int, *sizes: int) -> Batch:
        if step == 2:
            signal.raise_signal(signal.SIGINT)
        return drawn(step, *sizes)

    monkeypatch.setattr(part.material, "batch", batch)
    with pytest.raises(KeyboardInterrupt):
        part.run()
    rest = _training(place, 6)
    assert rest.step == 3
    rest.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, rest.network.state_dict()[name]), name


def test_a_finished_one_is_left_as_it_is(place: Workplace) -> None:
    first = _training(place, 3)
    first.run()
    again = _training(place, 3)
    again.run()
    assert again.step == 3
    assert torch.equal(first.network.last.weight, again.network.last.weight)


def test_minutes_are_those_of_training(place: Workplace) -> None:
    assert Budget(2.0).progress(99, 60) == 0.5
    assert Budget(2.0, 100).progress(50, 10_000) == 0.5


def test_a_checkpoint_of_before_tells_no_computing_time(place: Workplace) -> None:
    training = _training(place, 2)
    training.run()
    assert (training.core_seconds or 0) > 0
    held = torch.load(place.checkpoint, weights_only=True)
    del held["core_seconds"]
    torch.save(held, place.checkpoint)
    again = _training(place, 3)
    again.run()
    assert again.core_seconds is None
    assert again.seconds > training.seconds


def test_schedule() -> None:
    assert schedule(0, 0.0) == pytest.approx(0.01)
    assert schedule(99, 0.1) == schedule(500, 0.3) == 1.0
    assert schedule(5000, 0.65) == pytest.approx(0.525)
    assert schedule(9000, 1.0) == pytest.approx(0.05)


def test_export(place: Workplace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    identity = EncoderIdentity(title="", family="phonetic-conformer", fingerprint="1" * 16, layer=3)
    monkeypatch.setattr(features, "identity", lambda: identity)
    training = _training(place, 2)
    training.run()
    target = tmp_path / "new" / "heart.safetensors"
    about = export.About("heart", "nobody's", "none", "made up")
    export.export(training, about, place, target, seed=1)
    card = identify(target).card
    assert isinstance(card, SourceFilterCard)
    assert card.trained_on == identity
    assert card.prosody == prosody.measured(place, place.spoken())
    assert card.prosody.median_hz == pytest.approx(140)
    assert card.prosody.loud_db == pytest.approx(-25)
    assert card.vectors == 3 * 151
    assert (card.title, card.source) == ("heart", "made up")
    assert card.trained["steps"] == "2"
    assert {"minutes by the clock", "minutes of one core"} <= card.trained.keys()
    network = load_source_filter(target)
    torch.testing.assert_close(
        network.first.weight, training.network.first.weight.detach(), atol=1e-3, rtol=1e-3
    )
    vector = training.material.utterances[0].content[0, :1].astype("float32")
    distances, found = open_index(target, None).search(vector, 1)
    assert distances[0, 0] < 0.01  # 8 bits a value
    assert abs(found[0, 0] - vector[0]).max() < 0.03
