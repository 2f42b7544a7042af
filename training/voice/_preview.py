"""The step try: what a voice makes of sounds that it was not trained on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from voicegraph.graph.files.sound import bundled_recording
from voicegraph.graph.files.sound.file_conversion import convert_file
from voicegraph.graph.pipeline import Pipeline
from voicegraph.schemas.voice_report import Trial

from . import _phones as phones
from . import _speaker_selection as speaker_selection
from . import augmentation, contours
from ._speaker_selection import Speaker
from ._vad import speech_probability
from .speaker_network import load_speaker_network
from .training_steps import divided
from .workdir import RATE, Workplace

PIPELINE = "default"
_LISTENING = contours.LISTENING
_HIGHER_HZ, _SHORTER = 215.0, 1.16
"""The bundled speaker as another person: pitch, and factor on the formants."""
_OWN_S = 10.0
"""Of held-out speech so much is converted."""
_PAUSE, _SPEECH = 0.1, 0.5
"""Probability of speech below which a stretch is a pause, and from which it is speech."""


@dataclass(frozen=True, slots=True)
class Sounds:
    """Files of one trial.

    Attributes:
        name: what it is.
        source: what went in.
        made: what came out.
    """

    name: str
    source: Path
    made: Path


def sources(place: Workplace) -> list[Sounds]:
    """What is tried: a stranger, the same as somebody else, and held-out speech of the owner."""
    folder = place.root / "tried"
    folder.mkdir(parents=True, exist_ok=True)
    names = (
        "a stranger: a man reads, the recording that comes along",
        "another: the same with the pitch and the vocal tract of a woman",
        "held-out speech of the recordings",
    )
    found = [
        Sounds(name, folder / f"{number}-source.wav", folder / f"{number}-made.wav")
        for number, name in enumerate(names)
    ]
    stranger = _read(bundled_recording.path(), _LISTENING)
    soundfile.write(found[0].source, stranger, _LISTENING)
    other = augmentation.resynthesized(stranger.astype(np.float64), _SHORTER, _HIGHER_HZ)
    soundfile.write(found[1].source, np.clip(other, -1, 1), _LISTENING)
    soundfile.write(found[2].source, _held_out(place), RATE)
    return found


def _held_out(place: Workplace) -> np.ndarray:
    """Some seconds of it, utterance after utterance."""
    parts: list[np.ndarray] = []
    for number in divided(place.spoken())[1]:
        parts.append(_read(place.speech(number), RATE))
        if sum(map(len, parts)) > _OWN_S * RATE:
            break
    return np.concatenate(parts)


def convert(voice: Path, sounds: Sounds) -> None:
    """One conversion by the pipeline for files."""
    pipeline = Pipeline.load(PIPELINE, {"vars.voice": str(voice.resolve())})
    convert_file(pipeline, sounds.source, sounds.made, force=True)


def compared(sounds: Sounds, speaker: Speaker) -> Trial:
    """What became of it."""
    source, made = (_read(path, _LISTENING) for path in (sounds.source, sounds.made))
    count = min(len(source), len(made))
    source, made = source[:count], made[:count]
    speech = speech_probability(source)
    cents, voicing = _melody(source, made)
    return Trial(
        name=sounds.name,
        phone_error=round(phones.error_rate(phones.phones(made), phones.phones(source)), 4),
        f0_error_cents=cents,
        voicing=round(voicing, 4),
        pause_db=_pauses(made, speech),
        source_pause_db=_pauses(source, speech),
        likeness=_likeness(made, speaker),
        source_likeness=_likeness(source, speaker),
    )


def _melody(source: np.ndarray, made: np.ndarray) -> tuple[float | None, float]:
    """Median distance in cents where both are voiced, and share of frames that agree in it."""
    one, other = (contours.pitch(audio.astype(np.float64)) for audio in (source, made))
    both = (one > 0) & (other > 0)
    agree = float(((one > 0) == (other > 0)).mean())
    if not both.any():
        return None, agree
    cents = 1200 * np.log2(other[both] / one[both])
    return round(float(np.median(np.abs(cents - np.median(cents)))), 1), agree


def _pauses(audio: np.ndarray, speech: np.ndarray) -> float | None:
    """Mean power of pauses against that of speech, in dB."""
    chunks = audio[: len(speech) * 512].reshape(-1, 512).astype(np.float64)
    power = (chunks**2).mean(1)
    # What borders on speech is neither.
    near = np.convolve(speech >= _PAUSE, np.ones(7), "same") > 0
    if near.all() or not (speech >= _SPEECH).any():
        return None
    ratio = power[~near].mean() / max(power[speech >= _SPEECH].mean(), 1e-12)
    return round(float(10 * np.log10(max(ratio, 1e-12))), 1)


def _likeness(audio: np.ndarray, speaker: Speaker) -> float:
    windows = load_speaker_network().windows(torch.from_numpy(audio)).numpy()
    return round(float(speaker_selection.whole(windows) @ speaker.middle), 3)


def _read(path: Path, rate: int) -> np.ndarray:
    audio, found = soundfile.read(path, dtype="float32", always_2d=True)
    return soxr.resample(audio.mean(1), found, rate).astype(np.float32)
