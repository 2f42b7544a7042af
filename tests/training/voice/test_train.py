"""Training of a voice: it learns, resumes, and is exported."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
import torch

from voicegraph.graph.files.models import identify
from voicegraph.nodes.retrieval.index_search import open_index
from voicegraph.nodes.synth.source_filter_file import load_source_filter
from voicegraph.schemas.encoder_card import EncoderIdentity
from voicegraph.schemas.source_filter_card import SourceFilterCard, SourceFilterSizes
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.voice import _features as features
from voicegraph.training.voice import _prosody as prosody
from voicegraph.training.voice import export
from voicegraph.training.voice._dataset import VoiceBatch, VoiceTrainingSet, load_utterance
from voicegraph.training.voice.prepared_speech import PreparedSpeech
from voicegraph.training.voice.train import VoiceTraining

SIZES = SourceFilterSizes(content=8, channels=16, inner=24, blocks=2, bands=24)


def _training(speech: PreparedSpeech, steps: int, seed: int = 1) -> VoiceTraining:
    utterances = [load_utterance(speech, number) for number in speech.numbers]
    training_set = VoiceTrainingSet(utterances[:3], seed)
    budget = Budget(1.0, steps)
    return VoiceTraining(
        speech.workdir, training_set, utterances[3:], budget, SIZES, pieces=2, frames=50
    )


def test_spectral_loss_falls(speech: PreparedSpeech) -> None:
    training = _training(speech, 150)
    before = training.validate()
    after = training.run()
    assert after.keys() == {"clean", "perturbed", "streaming"}
    assert all(after[name] < 0.8 * before[name] for name in after), (before, after)
    assert speech.workdir.log.read_text().count("\n") == 1


def test_resumed_training_gives_the_same_weights(speech: PreparedSpeech, tmp_path: Path) -> None:
    whole = _training(speech, 6)
    whole.run()
    speech.workdir.checkpoint.unlink()
    part = _training(speech, 6)
    for step in range(3):
        part.timed_step(step / 6)
    part.save()
    rest = _training(speech, 6)
    assert rest.step == 3
    rest.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, rest.network.state_dict()[name]), name


def test_ctrl_c_within_a_step_is_deferred(
    speech: PreparedSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = _training(speech, 6)
    whole.run()
    speech.workdir.checkpoint.unlink()
    part = _training(speech, 6)
    drawn = part.training_set.batch

    def batch(step: int, *sizes: int) -> VoiceBatch:
        if step == 2:
            signal.raise_signal(signal.SIGINT)
        return drawn(step, *sizes)

    monkeypatch.setattr(part.training_set, "batch", batch)
    with pytest.raises(KeyboardInterrupt):
        part.run()
    rest = _training(speech, 6)
    assert rest.step == 3
    rest.run()
    for name, tensor in whole.network.state_dict().items():
        assert torch.equal(tensor, rest.network.state_dict()[name]), name


def test_finished_training_is_not_changed(speech: PreparedSpeech) -> None:
    first = _training(speech, 3)
    first.run()
    again = _training(speech, 3)
    again.run()
    assert again.step == 3
    assert torch.equal(first.network.last.weight, again.network.last.weight)


def test_older_checkpoint_has_no_core_seconds(speech: PreparedSpeech) -> None:
    training = _training(speech, 2)
    training.run()
    assert (training.core_seconds or 0) > 0
    held = torch.load(speech.workdir.checkpoint, weights_only=True)
    del held["core_seconds"]
    torch.save(held, speech.workdir.checkpoint)
    again = _training(speech, 3)
    again.run()
    assert again.core_seconds is None
    assert again.seconds > training.seconds


def test_exported_voice_has_network_and_index(
    speech: PreparedSpeech, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity = EncoderIdentity(title="", family="phonetic-conformer", fingerprint="1" * 16, layer=3)
    monkeypatch.setattr(features, "identity", lambda: identity)
    training = _training(speech, 2)
    training.run()
    target = tmp_path / "new" / "heart.safetensors"
    about = export.About("heart", "nobody's", "none", "made up")
    export.export(training, about, speech, target, seed=1)
    card = identify(target).card
    assert isinstance(card, SourceFilterCard)
    assert card.trained_on == identity
    assert card.prosody == prosody.measure(speech, speech.numbers)
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
    vector = training.training_set.utterances[0].content[0, :1].astype("float32")
    distances, found = open_index(target, None).search(vector, 1)
    assert distances[0, 0] < 0.01  # 8 bits a value
    assert abs(found[0, 0] - vector[0]).max() < 0.03
