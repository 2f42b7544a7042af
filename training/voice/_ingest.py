"""The step hear: one recording read, cut into utterances, and each of them judged by itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr
import torch

from voicegraph.graph.errors import InputError

from . import _quality_filter as quality_filter
from . import _segmentation as segmentation
from . import contours
from ._bandwidth import highest_hz
from ._decoding import Decoded, decode
from ._segmentation import Span
from ._vad import speech_probability
from .speaker_network import load_speaker_network
from .workdir import RATE, Workplace, write_whole

_LOUD_DB = -21.0
"""What the level of speech is brought to, by its 95th percentile: recordings differ in it."""
_PEAK = 0.98


@dataclass(frozen=True, slots=True)
class Utterance:
    """A part of a recording.

    Attributes:
        start: where it begins, in seconds.
        end: where it ends.
        reason: why it cannot be used; empty if it can, as far as it tells by itself.
        detail: the figure behind it.
        snr_db: speech above the noise.
        windows: how many vectors of the speaker it has.
    """

    start: float
    end: float
    reason: str
    detail: str
    snr_db: float
    windows: int

    @property
    def seconds(self) -> float:
        """How long it is."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of one recording.

    Attributes:
        path: the file.
        error: why it cannot be read; then the rest is empty.
        seconds: its length.
        rate: its samples a second.
        channels: its channels.
        band_hz: up to where there is speech.
        notes: what a person should know.
        utterances: in order.
    """

    path: str
    error: str = ""
    seconds: float = 0.0
    rate: int = 0
    channels: int = 0
    band_hz: float = 0.0
    notes: tuple[str, ...] = ()
    utterances: tuple[Utterance, ...] = ()


def jobs(place: Workplace, recordings: list[Path]) -> list[tuple]:
    """What is still to be heard."""
    return [
        (place, number, path)
        for number, path in enumerate(recordings)
        if not place.heard(number).exists()
    ]


def hear(place: Workplace, number: int, path: Path) -> None:
    """One recording: its sound, what is known of it, and the vectors of its speaker."""
    try:
        found = decode(path)
    except InputError as error:
        _note(place, number, Recording(str(path), error=error.problems[0].message))
        return
    audio = soxr.resample(found.audio, RATE, contours.LISTENING)
    speech = speech_probability(audio)
    heard = quality_filter.measured(audio, speech, found.peaks)
    spans = segmentation.utterances(speech, _every_step(heard.power, len(speech)))
    utterances, vectors = _judged(audio, heard, spans)
    sound = _at_level(found.audio, heard, spans)
    write_whole(place.sound(number), lambda part: _flac(part, sound))
    write_whole(place.vectors(number), lambda part: _npz(part, vectors))
    _note(place, number, _recording(path, found, utterances))


def read(place: Workplace, number: int) -> tuple[Recording, list[np.ndarray]]:
    """What :func:`hear` found, and the vectors of each utterance, ``[windows, 256]``."""
    held = json.loads(place.heard(number).read_text(encoding="utf-8"))
    utterances = tuple(Utterance(**one) for one in held.pop("utterances"))
    recording = Recording(**held | {"notes": tuple(held["notes"])}, utterances=utterances)
    if not utterances:
        return recording, []
    with np.load(place.vectors(number)) as file:
        ends = np.cumsum([one.windows for one in utterances])
        return recording, np.split(file["vectors"].astype(np.float32), ends[:-1])


def _judged(
    audio: np.ndarray, heard: quality_filter.Heard, spans: list[Span]
) -> tuple[tuple[Utterance, ...], np.ndarray]:
    """Utterances, and the vectors of those that have no fault, one below the other."""
    made: list[Utterance] = []
    vectors = [np.zeros((0, 256), np.float32)]
    for span in spans:
        reason, detail = quality_filter.fault(heard, span)
        if not reason:
            piece = audio[int(span.start * 16000) : int(span.end * 16000)]
            vectors.append(load_speaker_network().windows(torch.from_numpy(piece)).numpy())
        count = 0 if reason else len(vectors[-1])
        snr = round(quality_filter.snr_db(heard, span), 1)
        made.append(Utterance(span.start, span.end, reason, detail, snr, count))
    return tuple(made), np.concatenate(vectors)


def _recording(path: Path, found: Decoded, utterances: tuple[Utterance, ...]) -> Recording:
    good = [(one.start, one.end) for one in utterances if not one.reason]
    band = highest_hz(found.audio, RATE, good) if good else 0.0
    return Recording(
        path=str(path),
        seconds=len(found.audio) / RATE,
        rate=found.rate,
        channels=found.channels,
        band_hz=band,
        notes=found.notes,
        utterances=utterances,
    )


def _every_step(power: np.ndarray, steps: int) -> np.ndarray:
    """Power every 10 ms -> every 32 ms."""
    at = np.minimum((np.arange(steps) * segmentation.STEP_S * 100).astype(int) + 1, len(power) - 1)
    return power[at]


def _at_level(audio: np.ndarray, heard: quality_filter.Heard, spans: list[Span]) -> np.ndarray:
    """As loud as others are."""
    frames = [heard.power[int(s.start * 100) : int(s.end * 100)] for s in spans]
    spoken = np.concatenate([*frames, np.zeros(0)])
    if not len(spoken):
        return audio
    loud_db = 10 * np.log10(max(float(np.percentile(spoken, 95)), 1e-12))
    most = _PEAK / max(float(np.abs(audio).max()), 1e-9)
    return audio * min(10 ** ((_LOUD_DB - loud_db) / 20), most)


def _flac(path: Path, audio: np.ndarray) -> None:
    soundfile.write(path, audio, RATE, "PCM_16", format="FLAC")


def _npz(path: Path, vectors: np.ndarray) -> None:
    with path.open("wb") as file:
        np.savez(file, vectors=vectors.astype(np.float16))


def _note(place: Workplace, number: int, found: Recording) -> None:
    text = json.dumps(asdict(found))

    def write(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    write_whole(place.heard(number), write)
