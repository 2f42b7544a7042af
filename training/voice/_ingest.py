"""The step hear: decodes a recording, cuts it into utterances, and filters them by quality."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import soxr
import torch

from voicegraph.experiments.observers.speaker_network import load_speaker_network
from voicegraph.graph.errors import InputError, Problem

from ..common.atomic_files import write_arrays, write_audio, write_text
from . import _quality_filter as quality_filter
from . import _segmentation as segmentation
from ._bandwidth import highest_speech_hz
from ._decoding import Decoded, decode
from ._segmentation import Span
from ._vad import speech_probability
from .augmentation import ENCODER_RATE
from .workdir import RATE, Workdir

_LOUD_DB = -21.0
"""Level to which recordings are normalized: the 95th percentile of their speech."""
_PEAK = 0.98


@dataclass(frozen=True, slots=True)
class RecordedUtterance:
    """An utterance within a recording.

    Attributes:
        start: its begin, in seconds.
        end: its end.
        reason: why it is rejected; empty if it is good, speaker aside.
        detail: the figure behind the reason.
        snr_db: signal-to-noise ratio.
        windows: number of its speaker embeddings.
    """

    start: float
    end: float
    reason: str
    detail: str
    snr_db: float
    windows: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return self.end - self.start


@dataclass(frozen=True, slots=True)
class Recording:
    """What is known of one recording.

    Attributes:
        path: the file.
        error: why it cannot be read; then the rest is empty.
        seconds: its length.
        rate: of the file, in Hz.
        channels: of the file.
        band_hz: highest frequency that has speech.
        notes: remarks for people.
        utterances: in order of time.
    """

    path: str
    error: str = ""
    seconds: float = 0.0
    rate: int = 0
    channels: int = 0
    band_hz: float = 0.0
    notes: tuple[str, ...] = ()
    utterances: tuple[RecordedUtterance, ...] = ()


def jobs(workdir: Workdir, recordings: list[Path]) -> list[tuple]:
    """Arguments of :func:`ingest_recording` for all recordings that are missing."""
    return [
        (workdir, number, path)
        for number, path in enumerate(recordings)
        if not workdir.recording_info(number).exists()
    ]


def _reason(problem: Problem) -> str:
    """Why a file cannot be read, and the line that converts it, in one line."""
    first = problem.notes[0][0] if problem.notes else None
    return "; ".join(text for text in (problem.message, first, problem.fix) if text)


def ingest_recording(workdir: Workdir, number: int, path: Path) -> None:
    """Writes audio, metadata and speaker embeddings of one recording."""
    try:
        found = decode(path)
    except InputError as error:
        write_info(workdir, number, Recording(str(path), error=_reason(error.problems[0])))
        return
    audio = soxr.resample(found.audio, RATE, ENCODER_RATE)
    speech = speech_probability(audio)
    measured = quality_filter.measure(audio, speech, found.peaks)
    spans = segmentation.utterances(speech, _every_step(measured.power, len(speech)))
    utterances, vectors = _filtered(audio, measured, spans)
    sound = _normalized(found.audio, measured, spans)
    write_audio(workdir.recording_audio(number), sound, RATE)
    write_arrays(workdir.speaker_vectors(number), vectors=vectors.astype(np.float16))
    write_info(workdir, number, _recording(path, found, utterances))


def load_recording(workdir: Workdir, number: int) -> tuple[Recording, list[np.ndarray]]:
    """A recording's metadata, and the speaker embeddings of each utterance ``[windows, 256]``."""
    held = json.loads(workdir.recording_info(number).read_text(encoding="utf-8"))
    utterances = tuple(RecordedUtterance(**one) for one in held.pop("utterances"))
    recording = Recording(**held | {"notes": tuple(held["notes"])}, utterances=utterances)
    if not utterances:
        return recording, []
    with np.load(workdir.speaker_vectors(number)) as file:
        ends = np.cumsum([one.windows for one in utterances])
        return recording, np.split(file["vectors"].astype(np.float32), ends[:-1])


def _filtered(
    audio: np.ndarray, measured: quality_filter.Measurements, spans: list[Span]
) -> tuple[tuple[RecordedUtterance, ...], np.ndarray]:
    """Utterances, and the stacked speaker embeddings of the good ones."""
    made: list[RecordedUtterance] = []
    vectors = [np.zeros((0, 256), np.float32)]
    for span in spans:
        reason, detail = quality_filter.rejection(measured, span)
        if not reason:
            piece = audio[int(span.start * 16000) : int(span.end * 16000)]
            vectors.append(load_speaker_network().embed_windows(torch.from_numpy(piece)).numpy())
        count = 0 if reason else len(vectors[-1])
        snr = round(quality_filter.snr_db(measured, span), 1)
        made.append(RecordedUtterance(span.start, span.end, reason, detail, snr, count))
    return tuple(made), np.concatenate(vectors)


def _recording(path: Path, found: Decoded, utterances: tuple[RecordedUtterance, ...]) -> Recording:
    good = [(one.start, one.end) for one in utterances if not one.reason]
    band = highest_speech_hz(found.audio, RATE, good) if good else 0.0
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
    """Resamples power from every 10 ms to every 32 ms."""
    at = np.minimum((np.arange(steps) * segmentation.STEP_S * 100).astype(int) + 1, len(power) - 1)
    return power[at]


def _normalized(
    audio: np.ndarray, measured: quality_filter.Measurements, spans: list[Span]
) -> np.ndarray:
    """Brings the level of speech to that of all recordings."""
    frames = [measured.power[int(s.start * 100) : int(s.end * 100)] for s in spans]
    spoken = np.concatenate([*frames, np.zeros(0)])
    if not len(spoken):
        return audio
    loud_db = 10 * np.log10(max(float(np.percentile(spoken, 95)), 1e-12))
    most = _PEAK / max(float(np.abs(audio).max()), 1e-9)
    return audio * min(10 ** ((_LOUD_DB - loud_db) / 20), most)


def write_info(workdir: Workdir, number: int, found: Recording) -> None:
    """Writes a recording's metadata."""
    write_text(workdir.recording_info(number), json.dumps(asdict(found)))
