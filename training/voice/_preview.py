"""The step try: converts sounds that the voice was not trained on, and measures the results."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import torch

from voicegraph.experiments.observers.contours import swift_contour
from voicegraph.experiments.observers.speaker_network import load_speaker_network
from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.files.sound.file_conversion import convert_file
from voicegraph.graph.metrics.edit_distance import edit_distance
from voicegraph.graph.metrics.f0_error import compare_f0
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.voice_report import Preview

from . import _phones as phones
from . import _speaker_selection as speaker_selection
from ._decoding import read_mono
from ._speaker_selection import Speaker
from ._vad import speech_probability
from .augmentation import ENCODER_RATE, resynthesize
from .prepared_speech import PreparedSpeech
from .training_steps import split_held_out
from .workdir import RATE

PIPELINE = "default"
_HIGHER_HZ, _SHORTER = 215.0, 1.16
"""Median F0 and factor on formants with which the bundled speaker becomes another person."""
_HELD_OUT_S = 10.0
"""Seconds of held-out speech that are converted."""
_PAUSE, _SPEECH = 0.1, 0.5
"""Below the first probability of speech a step is a pause, from the second on it is speech."""


@dataclass(frozen=True, slots=True)
class PreviewFiles:
    """Files of one preview.

    Attributes:
        name: its title.
        source: the input.
        made: the converted file.
    """

    name: str
    source: Path
    made: Path


def prepare_sources(speech: PreparedSpeech) -> list[PreviewFiles]:
    """Writes the inputs: an unseen speaker, the same with another voice, and held-out speech."""
    folder = speech.workdir.root / "tried"
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        "unseen speaker: a man reads (the bundled recording)",
        "another speaker: the same with the pitch and the vocal tract of a woman",
        "held-out speech of the recordings",
    )
    found = [
        PreviewFiles(name, folder / f"{number}-source.wav", folder / f"{number}-made.wav")
        for number, name in enumerate(names)
    ]
    unseen = read_mono(bundled_recording.path(), ENCODER_RATE)
    soundfile.write(found[0].source, unseen, ENCODER_RATE)
    other = resynthesize(unseen.astype(np.float64), _SHORTER, _HIGHER_HZ)
    soundfile.write(found[1].source, np.clip(other, -1, 1), ENCODER_RATE)
    soundfile.write(found[2].source, _held_out(speech), RATE)
    return found


def _held_out(speech: PreparedSpeech) -> np.ndarray:
    """Held-out utterances, one after another, until ten seconds are reached."""
    parts: list[np.ndarray] = []
    for number in split_held_out(speech.numbers)[1]:
        parts.append(read_mono(speech.workdir.speech(number), RATE))
        if sum(map(len, parts)) > _HELD_OUT_S * RATE:
            break
    return np.concatenate(parts)


def convert(voice: Path, sounds: PreviewFiles) -> None:
    """Converts one input with the pipeline for files."""
    pipeline = Pipeline.load(PIPELINE, {"vars.voice": str(voice.resolve())})
    convert_file(pipeline, sounds.source, sounds.made, force=True)


def measure(sounds: PreviewFiles, speaker: Speaker) -> Preview:
    """Compares a converted file with its source."""
    source, made = (read_mono(path, ENCODER_RATE) for path in (sounds.source, sounds.made))
    count = min(len(source), len(made))
    source, made = source[:count], made[:count]
    speech = speech_probability(source)
    f0 = compare_f0(*(swift_contour(audio.astype(np.float64)) for audio in (made, source)))
    return Preview(
        name=sounds.name,
        phone_error=round(_phone_error(phones.phones(source), phones.phones(made)), 4),
        f0_error_cents=None if math.isnan(f0.cents) else round(f0.cents, 1),
        voicing=round(f0.voicing, 4),
        pause_db=_pause_level_db(made, speech),
        source_pause_db=_pause_level_db(source, speech),
        likeness=_speaker_similarity(made, speaker),
        source_likeness=_speaker_similarity(source, speaker),
    )


def _phone_error(reference: Sequence[str], hypothesis: Sequence[str]) -> float:
    return edit_distance(reference, hypothesis) / max(len(reference), 1)


def _pause_level_db(audio: np.ndarray, speech: np.ndarray) -> float | None:
    """Mean power of pauses relative to that of speech, in dB; None if either is missing."""
    chunks = audio[: len(speech) * 512].reshape(-1, 512).astype(np.float64)
    power = (chunks**2).mean(1)
    # Steps next to speech count as neither.
    near = np.convolve(speech >= _PAUSE, np.ones(7), "same") > 0
    if near.all() or not (speech >= _SPEECH).any():
        return None
    ratio = power[~near].mean() / max(power[speech >= _SPEECH].mean(), 1e-12)
    return round(float(10 * np.log10(max(ratio, 1e-12))), 1)


def _speaker_similarity(audio: np.ndarray, speaker: Speaker) -> float:
    windows = load_speaker_network().embed_windows(torch.from_numpy(audio)).numpy()
    return round(float(speaker_selection.utterance_vector(windows) @ speaker.centroid), 3)
