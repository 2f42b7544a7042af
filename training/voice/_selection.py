"""The step choose: selects the good utterances of one speaker, an hour of them at most."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from voicegraph.graph.errors import InputError, Problem
from voicegraph.schemas.voice_report import MaterialReport, RecordingReport, Rejected

from ..common.atomic_files import write_audio, write_text
from . import _speaker_selection as speaker_selection
from ._bandwidth import TELEPHONE_HZ
from ._ingest import IngestedRecording, RecordedUtterance, Recording
from ._speaker_selection import Speaker
from .workdir import RATE, Workdir

LEAST_S, MOST_S = 5 * 60.0, 60 * 60.0
FEWEST = 8
"""Fewest utterances of a voice, so that some can be held out."""
UNPROCESSED = "cannot be processed"
"""Reason against an utterance of which something cannot be computed."""
SHARE = 0.6
"""Lowest share of the main speaker in the good speech: below it, the choice would be arbitrary."""


@dataclass(frozen=True, slots=True)
class _Candidate:
    """An utterance, the number of its recording, and its speaker embeddings ``[windows, 256]``."""

    recording: int
    utterance: RecordedUtterance
    vectors: np.ndarray


@dataclass(frozen=True, slots=True)
class Selection:
    """The selected speech of a voice.

    Attributes:
        recordings: all recordings.
        candidates: all utterances.
        speaker: the main speaker; None without any speech.
    """

    recordings: Sequence[Recording]
    candidates: Sequence[_Candidate]
    speaker: Speaker | None

    @property
    def report(self) -> MaterialReport:
        """What is used, and what is left out."""
        return _report(self.recordings, self.candidates, self.speaker)

    def without(self, failed: Mapping[int, str]) -> Selection:
        """Leaves out utterances that could not be processed.

        Args:
            failed: why, by the number of the utterance among the used ones.
        """
        used = [one for one in self.candidates if not one.utterance.reason]
        why = {id(used[number]): text for number, text in failed.items()}
        kept = [
            _rejected(one, UNPROCESSED, why[id(one)]) if id(one) in why else one
            for one in self.candidates
        ]
        return replace(self, candidates=kept)


def select(workdir: Workdir, ingested: Sequence[IngestedRecording]) -> Selection:
    """Selects from all recordings, and writes the selected utterances."""
    candidates = [
        _Candidate(number, utterance, vectors)
        for number, found in enumerate(ingested)
        for utterance, vectors in zip(found.recording.utterances, found.vectors, strict=True)
    ]
    good = [one for one in candidates if not one.utterance.reason]
    speaker = _speaker(good) if good else None
    candidates = [_check_speaker(one, speaker) for one in candidates]
    kept = _cleanest([one for one in candidates if not one.utterance.reason])
    candidates = [
        one if id(one) in kept or one.utterance.reason else _surplus(one) for one in candidates
    ]
    _write(workdir, ingested, [one for one in candidates if not one.utterance.reason])
    return Selection([found.recording for found in ingested], candidates, speaker)


def check_enough(material: MaterialReport, anyway: bool) -> None:
    """Checks that the selected speech is enough for a voice.

    Args:
        material: the selection.
        anyway: accept less than five minutes.

    Raises:
        InputError: if it is not, with the reasons why speech was left out, and what to do.
    """
    notes = tuple((text, None) for text in _left_out(material))
    found = f"{material.used_s / 60:.1f} min of clean speech of one speaker"
    if not material.utterances:
        text = f"no usable speech was found in {len(material.recordings)} recordings"
        fix = "record in a quiet room, close to the microphone, and keep the level below full scale"
        raise InputError(Problem("no-speech", text, notes=notes, fix=fix))
    if material.share < SHARE:
        text = (
            f"several people speak: the one who speaks most has {material.share:.0%} of the good "
            f"speech, but at least {SHARE:.0%} are needed to know whose voice is meant"
        )
        fix = "leave out the recordings of the others, or name only those of one person"
        raise InputError(Problem("several-speakers", text, notes=notes, fix=fix))
    if material.utterances < FEWEST:
        text = f"{found} in {material.utterances} utterances; at least {FEWEST} are needed"
        raise InputError(Problem("too-little-speech", text, notes=notes, fix=_MORE))
    if material.used_s < LEAST_S and not anyway:
        text = f"{found} were found; at least {LEAST_S / 60:.0f} min are needed for a good voice"
        fix = f"{_MORE}\n--anyway makes a voice from less speech; its card will say so"
        raise InputError(Problem("too-little-speech", text, notes=notes, fix=fix))


_MORE = "add recordings of the same person, and start again with --again"


def _left_out(material: MaterialReport) -> list[str]:
    lines = [f"{seconds / 60:.1f} min {reason}" for reason, seconds in material.reasons().items()]
    lines += [
        f"{found.path} cannot be read: {found.error}"
        for found in material.recordings
        if found.error
    ][:6]
    return lines


def _speaker(good: Sequence[_Candidate]) -> Speaker:
    seconds = [part.utterance.seconds for part in good]
    return speaker_selection.main_speaker([part.vectors for part in good], seconds)


def _check_speaker(part: _Candidate, speaker: Speaker | None) -> _Candidate:
    """Rejects the utterance if it is another speaker's."""
    if part.utterance.reason or speaker is None:
        return part
    return _rejected(part, *speaker_selection.rejection(part.vectors, speaker))


def _cleanest(good: Sequence[_Candidate]) -> set[int]:
    """Ids of the candidates that stay within an hour of speech, by signal-to-noise ratio."""
    kept: set[int] = set()
    total = 0.0
    for part in sorted(good, key=lambda part: -part.utterance.snr_db):
        total += part.utterance.seconds
        if total <= MOST_S:
            kept.add(id(part))
    return kept


def _surplus(part: _Candidate) -> _Candidate:
    detail = f"only the cleanest {MOST_S / 60:.0f} min are used"
    return _rejected(part, "more than is needed", detail)


def _rejected(part: _Candidate, reason: str, detail: str) -> _Candidate:
    """The utterance with a reason against it; an empty one is none."""
    return replace(part, utterance=replace(part.utterance, reason=reason, detail=detail))


def _write(
    workdir: Workdir, ingested: Sequence[IngestedRecording], used: Sequence[_Candidate]
) -> None:
    """Writes the utterances, numbered in order; those of an interrupted run are the same.

    Raises:
        InputError: if the folder was begun with others.
    """
    _check_unchanged(workdir, ingested, used)
    number_read, audio = -1, np.zeros(0, np.int16)
    for number, part in enumerate(used):
        if workdir.speech(number).exists():
            continue
        first, last = (int(at * RATE) for at in (part.utterance.start, part.utterance.end))
        if part.recording != number_read:
            number_read = part.recording
            audio = ingested[number_read].sound()
        write_audio(workdir.speech(number), audio[first:last], RATE)


def _check_unchanged(
    workdir: Workdir, ingested: Sequence[IngestedRecording], used: Sequence[_Candidate]
) -> None:
    """Refuses to go on with other utterances than those that the training has seen."""
    chosen = [(ingested[p.recording].key, p.utterance.start, p.utterance.end) for p in used]
    now = json.dumps(chosen)
    if not workdir.selection.exists():
        write_text(workdir.selection, now)
    elif workdir.selection.read_text(encoding="utf-8") != now:
        text = f"other utterances are chosen of the recordings than when {workdir.root} was begun"
        note = ("another version of voicegraph or of a package may have heard them", None)
        fix = "--again starts over"
        raise InputError(Problem("selection-changed", text, notes=(note,), fix=fix))


def _report(
    recordings: Sequence[Recording], parts: Sequence[_Candidate], speaker: Speaker | None
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


def _recording(number: int, found: Recording, parts: Sequence[_Candidate]) -> RecordingReport:
    own = [part.utterance for part in parts if part.recording == number]
    used = sum(one.seconds for one in own if not one.reason)
    notes = list(found.notes)
    if not found.error and not own:
        notes.append("no speech was found in it")
    if used and found.band_hz < TELEPHONE_HZ:
        notes.append(
            f"speech ends at {found.band_hz / 1000:.1f} kHz, as over a telephone: the voice "
            "will sound dull where it learns from it"
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
