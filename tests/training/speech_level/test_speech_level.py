"""Examples and training of the network of ``dsp.speech_level``."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from voicegraph.training.channel.augmentation import Odds
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.speech_level import _examples as examples
from voicegraph.training.speech_level import _train as train
from voicegraph.training.speech_level._examples import FRAMES, Examples, read_examples
from voicegraph.training.speech_level._train import SpeechLevelTraining, errors

RATE = 16000


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Syllables and pauses over a faint noise of their own."""
    folder, made = tmp_path_factory.mktemp("recordings"), []
    for number, hertz in enumerate((120, 200)):
        time = np.arange(6 * RATE) / RATE
        random = np.random.default_rng(number)
        voice = np.sum([np.sin(2 * np.pi * k * hertz * time) / k for k in range(1, 20)], 0)
        sound = 0.1 * voice * (np.sin(2 * np.pi * 1.5 * time) > 0)
        sound += 1e-4 * random.standard_normal(len(time))
        made.append(folder / f"{number}.flac")
        soundfile.write(made[-1], sound, RATE)
    return made


def _made(
    recordings: list[Path], path: Path, count: int, monkeypatch: pytest.MonkeyPatch, **odds: Any
) -> Examples:
    nothing: dict[str, Any] = {"clean": 0, "line": 0, "room": 0, "noise": 0, "distorted": 0}
    monkeypatch.setattr(examples, "_ODDS", Odds(**(nothing | odds)))
    examples.write_examples(path, recordings, count, 1)
    return read_examples([path])


def test_without_a_channel_all_is_speech_but_its_own_noise(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _made(recordings, tmp_path / "a.npz", 4, monkeypatch, level_db=(0.0, 0.0))
    assert made.bands.shape == (4, FRAMES, 32)
    share, level = (made.speech - made.level).numpy(), made.level.numpy()
    loud = level > np.percentile(level, 95, axis=1, keepdims=True) - 20
    assert np.abs(share[loud]).max() < 0.1
    assert np.median(share[~loud]) < -20


def test_noise_hides_a_known_share(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odds: dict[str, Any] = {"noise": 1, "noise_db": (0.0, 0.0), "room": 1}
    made = _made(recordings, tmp_path / "a.npz", 8, monkeypatch, **odds)
    speech, total = (10 ** (one.double().numpy() / 10) for one in (made.speech, made.level))
    assert 0.15 < speech.mean() / total.mean() < 0.6


def test_the_seed_decides_examples(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    once = _made(recordings, tmp_path / "a.npz", 2, monkeypatch, noise=1)
    again = _made(recordings, tmp_path / "b.npz", 2, monkeypatch, noise=1)
    assert torch.equal(once.bands, again.bands)
    assert torch.equal(once.speech, again.speech)


def test_other_rates_are_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", np.zeros(8000), 8000)
    with pytest.raises(SystemExit, match="8000 Hz, expected 16000"):
        examples.write_examples(tmp_path / "a.npz", [tmp_path / "a.flac"], 1, 1)


def _training(made: Examples, folder: Path, steps: int) -> SpeechLevelTraining:
    return SpeechLevelTraining(
        folder / "checkpoint.pt", folder / "losses.jsonl", made, made, Budget(0, steps), 1
    )


def test_the_error_falls_and_silence_is_silence(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    odds: dict[str, Any] = {"noise": 1, "noise_db": (5.0, 15.0)}
    made = _made(recordings, tmp_path / "a.npz", 8, monkeypatch, **odds)
    monkeypatch.setattr(train, "_BATCH", 4)
    training = _training(made, tmp_path, 80)
    before = training.validate_and_log(None)
    after = training.run()
    assert after["loss"] < 0.7 * before["loss"]
    assert json.loads((tmp_path / "losses.jsonl").read_text().splitlines()[-1])["step"] == 80
    wrong, wanted = errors(training.network, made)
    silent = Examples(made.bands, made.level - 200, made.speech)
    nothing, _ = errors(training.network, silent)
    pauses = wanted[..., 0] <= -45
    assert nothing[pauses].abs().max() == 0
    assert wrong[pauses].min() == 0


def test_training_resumes(
    recordings: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _made(recordings, tmp_path / "a.npz", 4, monkeypatch, noise=1)
    (tmp_path / "whole").mkdir()
    whole = _training(made, tmp_path / "whole", 4)
    whole.run()
    training = _training(made, tmp_path, 4)
    first = training.optimize

    def interrupted(progress: float) -> float:
        if training.step == 2:
            signal.raise_signal(signal.SIGINT)
        return first(progress)

    monkeypatch.setattr(training, "optimize", interrupted)
    with pytest.raises(KeyboardInterrupt):
        training.run()
    resumed = _training(made, tmp_path, 4)
    assert 0 < resumed.step < 4
    resumed.run()
    for one, other in zip(whole.network.parameters(), resumed.network.parameters(), strict=True):
        assert torch.equal(one, other)
