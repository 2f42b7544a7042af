"""The step hear: decodes a recording, cuts it into utterances, and filters them by quality."""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import soxr
import torch

from voicegraph.experiments.observers.speaker_network import load_speaker_network
from voicegraph.experiments.store import Store
from voicegraph.experiments.task import Failure, Result, Results
from voicegraph.graph.errors import InputError, Problem
from voicegraph.nodes.content.encoder import RATE as ENCODER_RATE

from . import _quality_filter as quality_filter
from . import _segmentation as segmentation
from ._bandwidth import highest_speech_hz
from ._decoding import Decoded, decode
from ._segmentation import Span
from ._sound_work import SoundWork, as_flac, read_flac
from ._vad import speech_probability
from .workdir import RATE

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

    path: str = ""
    error: str = ""
    seconds: float = 0.0
    rate: int = 0
    channels: int = 0
    band_hz: float = 0.0
    notes: tuple[str, ...] = ()
    utterances: tuple[RecordedUtterance, ...] = ()


@dataclass(frozen=True, slots=True)
class IngestWork(SoundWork):
    """Decodes a recording, finds its utterances, and measures them."""

    def run(self, needs: Results) -> Result:
        """The sound at 24 kHz and a common level, and the speaker embeddings of all utterances.

        ``flac``, as :func:`~._sound_work.as_flac`, and ``vectors``, float16 ``[windows, 256]``;
        about it, the attributes of :class:`Recording` without its path.

        Raises:
            InputError: if it is not audio, or empty.
        """
        try:
            found = decode(self.sound.checked())
        except InputError as error:
            raise InputError(_short(error.problems[0])) from None
        audio = soxr.resample(found.audio, RATE, ENCODER_RATE)
        speech = speech_probability(audio)
        measured = quality_filter.measure(audio, speech, found.peaks)
        spans = segmentation.utterances(speech, _every_step(measured.power, len(speech)))
        utterances, vectors = _filtered(audio, measured, spans)
        sound = as_flac(_normalized(found.audio, measured, spans), RATE)
        about = asdict(_recording(found, utterances))
        return Result({"flac": sound, "vectors": vectors.astype(np.float16)}, about)


@dataclass(frozen=True, slots=True)
class IngestedRecording:
    """A recording, and where its sound is.

    Attributes:
        recording: what is known of it.
        vectors: speaker embeddings of each utterance, float32 ``[windows, 256]``.
        store: with its sound.
        key: of the result in it; empty if the recording cannot be read.
    """

    recording: Recording
    vectors: list[np.ndarray]
    store: Store
    key: str = ""

    @classmethod
    def load(cls, path: Path, store: Store, key: str) -> IngestedRecording:
        """Reads the result of :class:`IngestWork`.

        Raises:
            DamagedResultError: if it is damaged.
        """
        found = store.read(key)
        held = dict(found.about)
        utterances = tuple(RecordedUtterance(**one) for one in held.pop("utterances"))
        held |= {"path": str(path), "notes": tuple(held["notes"]), "utterances": utterances}
        ends = np.cumsum([one.windows for one in utterances])
        vectors = found.arrays["vectors"].astype(np.float32)
        parts = np.split(vectors, ends[:-1]) if utterances else []
        return cls(Recording(**held), parts, store, key)

    @classmethod
    def unread(cls, path: Path, why: Failure, store: Store) -> IngestedRecording:
        """One that cannot be read, and the line that converts it, if there is one."""
        error = "; ".join(text for text in (why.message, why.fix) if text)
        return cls(Recording(str(path), error=error), [], store)

    def sound(self) -> np.ndarray:
        """Its sound, int16 ``[samples]`` at 24 kHz.

        Raises:
            DamagedResultError: if it is damaged.
        """
        return read_flac(self.store.read(self.key), "int16")


def _short(problem: Problem) -> Problem:
    """The problem in one line of a list: without the formats that could be read."""
    return replace(problem, notes=problem.notes[:1])


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


def _recording(found: Decoded, utterances: tuple[RecordedUtterance, ...]) -> Recording:
    good = [(one.start, one.end) for one in utterances if not one.reason]
    band = highest_speech_hz(found.audio, RATE, good) if good else 0.0
    return Recording(
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
