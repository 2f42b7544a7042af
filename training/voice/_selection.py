"""The step choose: of all that was heard, what one speaker says well, and no more than an hour."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile

from voicegraph.graph.errors import InputError, Problem
from voicegraph.schemas.voice_report import MaterialReport, RecordingReport, Rejected

from . import _ingest as ingest
from . import _speaker_selection as speaker_selection
from ._bandwidth import TELEPHONE_HZ
from ._ingest import Recording, Utterance
from ._speaker_selection import Speaker
from .workdir import RATE, Workplace, write_whole

LEAST_S, MOST_S = 5 * 60.0, 60 * 60.0
FEWEST = 8
"""Utterances without which nothing can be held out."""
SHARE = 0.6
"""Share of the good speech that must be one speaker's: else nobody knows whose voice is meant."""


@dataclass(frozen=True, slots=True)
class _Part:
    """An utterance and where it is from."""

    recording: int
    utterance: Utterance
    vectors: np.ndarray


@dataclass(frozen=True, slots=True)
class Chosen:
    """What a voice is made of.

    Attributes:
        report: of what was used and what was not.
        speaker: who speaks; None if nobody does.
    """

    report: MaterialReport
    speaker: Speaker | None


def choose(place: Workplace, count: int) -> Chosen:
    """Judges what was heard of ``count`` recordings, and writes the speech that is used."""
    heard = [ingest.read(place, number) for number in range(count)]
    parts = [
        _Part(number, utterance, vectors)
        for number, (recording, found) in enumerate(heard)
        for utterance, vectors in zip(recording.utterances, found, strict=True)
    ]
    good = [part for part in parts if not part.utterance.reason]
    speaker = _speaker(good) if good else None
    judged = [_judged(part, speaker) for part in parts]
    kept = _best([part for part in judged if not part.utterance.reason])
    judged = [
        part if id(part) in kept or part.utterance.reason else _spare(part) for part in judged
    ]
    used = [part for part in judged if not part.utterance.reason]
    _write(place, used)
    return Chosen(_report([recording for recording, _ in heard], judged, speaker), speaker)


def check_enough(material: MaterialReport, anyway: bool) -> None:
    """Whether a voice can be made of it.

    Args:
        material: what was found.
        anyway: take less than five minutes.

    Raises:
        InputError: if not, with the reasons why speech was left out, and what to do.
    """
    notes = tuple((text, None) for text in _losses(material))
    found = f"{material.used_s / 60:.1f} min of clean speech of one speaker"
    if not material.utterances:
        text = f"no usable speech was found in {len(material.recordings)} recordings"
        fix = "record in a quiet room, close to the microphone, so that the level stays below full"
        raise InputError(Problem("no-speech", text, notes=notes, fix=fix))
    if material.share < SHARE:
        text = (
            f"several people speak: the one who speaks most has {material.share:.0%} of the good "
            f"speech, at least {SHARE:.0%} are needed to know whose voice is meant"
        )
        fix = "leave out the recordings of the others, or name those of one person alone"
        raise InputError(Problem("several-speakers", text, notes=notes, fix=fix))
    if material.utterances < FEWEST:
        text = f"{found} in {material.utterances} utterances; at least {FEWEST} are needed"
        raise InputError(Problem("too-little-speech", text, notes=notes, fix=_MORE))
    if material.used_s < LEAST_S and not anyway:
        text = f"{found} were found; at least {LEAST_S / 60:.0f} min are needed for a good voice"
        fix = f"{_MORE}\n--anyway makes a voice of what there is; its card will say so"
        raise InputError(Problem("too-little-speech", text, notes=notes, fix=fix))


_MORE = "add recordings of the same person, and begin anew: --again"


def _losses(material: MaterialReport) -> list[str]:
    lines = [f"{seconds / 60:.1f} min {reason}" for reason, seconds in material.reasons().items()]
    lines += [
        f"{found.path} cannot be read: {found.error}"
        for found in material.recordings
        if found.error
    ][:6]
    return lines


def _speaker(good: Sequence[_Part]) -> Speaker:
    seconds = [part.utterance.seconds for part in good]
    return speaker_selection.main_speaker([part.vectors for part in good], seconds)


def _judged(part: _Part, speaker: Speaker | None) -> _Part:
    """With what is wrong with its speaker."""
    if part.utterance.reason or speaker is None:
        return part
    reason, detail = speaker_selection.fault(part.vectors, speaker)
    return replace(part, utterance=replace(part.utterance, reason=reason, detail=detail))


def _best(good: Sequence[_Part]) -> set[int]:
    """Those that stay if an hour is enough, by their ids: the cleanest."""
    kept: set[int] = set()
    total = 0.0
    for part in sorted(good, key=lambda part: -part.utterance.snr_db):
        total += part.utterance.seconds
        if total <= MOST_S:
            kept.add(id(part))
    return kept


def _spare(part: _Part) -> _Part:
    detail = f"{MOST_S / 60:.0f} min are used, the cleanest"
    found = replace(part.utterance, reason="more than is needed", detail=detail)
    return replace(part, utterance=found)


def _write(place: Workplace, used: Sequence[_Part]) -> None:
    """The speech, numbered in order; what an earlier run wrote is the same."""
    sound = functools.lru_cache(1)(
        lambda number: soundfile.read(place.sound(number), dtype="int16")[0]
    )
    for number, part in enumerate(used):
        if place.speech(number).exists():
            continue
        first, last = (int(at * RATE) for at in (part.utterance.start, part.utterance.end))
        piece = sound(part.recording)[first:last]

        def write(path: Path, piece: np.ndarray = piece) -> None:
            soundfile.write(path, piece, RATE, "PCM_16", format="FLAC")

        write_whole(place.speech(number), write)


def _report(
    recordings: Sequence[Recording], parts: Sequence[_Part], speaker: Speaker | None
) -> MaterialReport:
    used = [part for part in parts if not part.utterance.reason]
    return MaterialReport(
        recordings=tuple(_recording(n, one, parts) for n, one in enumerate(recordings)),
        rejected=tuple(
            Rejected(
                path=recordings[part.recording].path,
                start_s=round(part.utterance.start, 2),
                end_s=round(part.utterance.end, 2),
                reason=part.utterance.reason,
                detail=part.utterance.detail,
            )
            for part in parts
            if part.utterance.reason
        ),
        utterances=len(used),
        used_s=sum(part.utterance.seconds for part in used),
        share=speaker.share if speaker else 0.0,
    )


def _recording(number: int, found: Recording, parts: Sequence[_Part]) -> RecordingReport:
    own = [part.utterance for part in parts if part.recording == number]
    used = sum(one.seconds for one in own if not one.reason)
    notes = list(found.notes)
    if not found.error and not own:
        notes.append("there is no speech in it")
    if used and found.band_hz < TELEPHONE_HZ:
        notes.append(
            f"speech ends at {found.band_hz / 1000:.1f} kHz, as over a telephone: the voice "
            "will be dull where it learns from it"
        )
    return RecordingReport(
        path=found.path,
        seconds=found.seconds,
        speech_s=sum(one.seconds for one in own),
        used_s=used,
        rate_hz=found.rate,
        channels=found.channels,
        band_hz=found.band_hz,
        error=found.error,
        notes=tuple(notes),
    )
