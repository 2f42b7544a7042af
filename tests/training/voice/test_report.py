"""Report and figure of a new voice."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import numpy as np
import pytest
import soundfile

from voicegraph.nodes.synth import _source_filter_example as example
from voicegraph.schemas.source_filter_card import Consent
from voicegraph.schemas.voice_report import (
    Losses,
    MaterialReport,
    Preview,
    RecordingReport,
    Rejected,
    VoiceReport,
)
from voicegraph.training.voice import _report as report_page
from voicegraph.training.voice import _report_figure as report_figure
from voicegraph.training.voice._preview import PreviewFiles

LOSSES = (
    Losses(step=300, seconds=90, training=1.1, clean=1.2, perturbed=1.3, streaming=1.35),
    Losses(step=600, seconds=180, training=None, clean=0.9, perturbed=1.0, streaming=1.05),
)


@pytest.fixture
def report(tmp_path: Path) -> VoiceReport:
    consent = Consent(
        owner="Ada", statement="Ada agrees.", given=date(2026, 1, 2), how="typed at a terminal"
    )
    material = MaterialReport(
        recordings=(
            RecordingReport(path="a|b.wav", seconds=600, speech_s=500, used_s=400, rate_hz=8000),
            RecordingReport(path="c.m4a", error="c.m4a is not audio"),
        ),
        rejected=(
            Rejected(path="x/a.wav", start_s=1, end_s=4, reason="noisy", detail="5 dB"),
            *[
                Rejected(path="a.wav", start_s=1, end_s=2, reason="clipped", detail="cut")
                for _ in range(70)
            ],
        ),
        utterances=60,
        used_s=400,
        share=0.97,
    )
    trial = Preview(
        name="a stranger",
        phone_error=0.123,
        f0_error_cents=None,
        voicing=0.97,
        pause_db=-50,
        source_pause_db=None,
        likeness=0.7,
        source_likeness=0.01,
    )
    return VoiceReport(
        voice="ada.safetensors",
        page=str(tmp_path / "ada.md"),
        picture="ada.png",
        seconds=99,
        card=example.card(consent=consent),
        material=material,
        losses=LOSSES,
        trials=(trial,),
    )


def test_report_has_all_sections(report: VoiceReport) -> None:
    report_page.write(report)
    text = Path(report.page).read_text(encoding="utf-8")
    for wanted in (
        "The voice of Ada, who agreed on 2026-01-02 (typed at a terminal): Ada agrees.",
        "voicegraph run default in.wav out.wav --set vars.voice=ada.safetensors",
        "| a stranger | 0.123 | - | 0.970 | - -> -50 | 0.01 -> 0.70 |",
        "| 600 | 3.0 | 0.9000 | 1.0000 | 1.0500 | - |",
        "* clipped: 70 s",
        "| `a.wav` | 1.0-4.0 s | noisy | 5 dB |",
        "And 11 more.",
        "c.m4a is not audio",
        "![Spectrograms and the training](ada.png)",
    ):
        assert wanted in text
    rows = [line for line in text.splitlines() if line.startswith("| `a/b.wav`")]
    assert rows == ["| `a/b.wav` | 10.0 | 8.3 | 6.7 | 8000 Hz, 0 ch | - |"]


def test_report_without_rejected_speech(report: VoiceReport) -> None:
    material = report.material.model_copy(update={"rejected": ()})
    assert "\nNothing.\n" in report_page.text(report.model_copy(update={"material": material}))


def test_figure_is_a_png(tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra `plot` or `voice`")
    path = tmp_path / "a.wav"
    soundfile.write(path, 0.1 * np.sin(2 * np.pi * 150 * np.arange(24000) / 24000), 24000)
    sounds = [PreviewFiles("one", path, path), PreviewFiles("two", path, path)]
    report_figure.draw(sounds, LOSSES, tmp_path / "a.png")
    head = (tmp_path / "a.png").read_bytes()[:24]
    assert head.startswith(b"\x89PNG")
    assert int.from_bytes(head[16:20]) == 1100
