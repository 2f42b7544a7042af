"""Report on a new voice: the model of ``voicegraph voice make --json`` and of its page."""

from __future__ import annotations

from pydantic import Field

from .report import Report
from .source_filter_card import SourceFilterCard


class Rejected(Report):
    """A part of a recording that was left out."""

    path: str
    """The recording."""
    start_s: float
    """Begin, in seconds."""
    end_s: float
    """End, in seconds."""
    reason: str
    """`too short`, `clipped`, `noisy`, `no voice`, `another speaker`, `several speakers`, or `more
    than is needed`."""
    detail: str
    """The figure behind the reason."""


class RecordingReport(Report):
    """One recording."""

    path: str
    """The file."""
    seconds: float = 0.0
    """Length in seconds."""
    speech_s: float = 0.0
    """Seconds of speech, with its short pauses."""
    used_s: float = 0.0
    """Seconds that the voice is trained on."""
    rate_hz: int = 0
    """Sample rate of the file, in Hz."""
    channels: int = 0
    """Channels of the file; they are mixed."""
    band_hz: float = 0.0
    """Highest frequency that has speech, in Hz."""
    error: str = ""
    """Why it cannot be read; empty if it can."""
    notes: tuple[str, ...] = ()
    """Remarks for people."""


class MaterialReport(Report):
    """The speech that a voice is trained on, and what is left out."""

    recordings: tuple[RecordingReport, ...]
    """All recordings."""
    rejected: tuple[Rejected, ...]
    """What was left out, in order of time."""
    utterances: int
    """Number of utterances used."""
    used_s: float
    """Their length together, in seconds."""
    share: float
    """Share of the main speaker in the speech that passed the quality filter."""
    notes: tuple[str, ...] = ()
    """Remarks for people."""

    @property
    def speech_s(self) -> float:
        """Seconds of speech that were found."""
        return sum(found.speech_s for found in self.recordings)

    def reasons(self) -> dict[str, float]:
        """Seconds left out for each reason, the largest first."""
        found: dict[str, float] = {}
        for part in self.rejected:
            found[part.reason] = found.get(part.reason, 0.0) + part.end_s - part.start_s
        return dict(sorted(found.items(), key=lambda item: -item[1]))


class Losses(Report):
    """Losses on held-out speech after some steps of the training."""

    step: int
    """Steps done."""
    seconds: int
    """Wall-clock time of these steps."""
    training: float | None
    """Loss of the last batch; null at the end of the training."""
    clean: float
    """Loss with content features of the speech itself."""
    perturbed: float
    """Loss with those of a copy in another voice."""
    streaming: float
    """The same, as a stream gives them."""


class Preview(Report):
    """One sound, converted with the voice."""

    name: str
    """Its title."""
    phone_error: float
    """Edit distance between the phones of result and source, per phone of the source. They are
    recognized by the encoder that the voice was trained on, so this is not independent."""
    f0_error_cents: float | None
    """Median difference of the F0 contours, without the transposition; null if never voiced."""
    voicing: float
    """Share of frames whose voicing agrees."""
    pause_db: float | None
    """Level of pauses relative to speech; null without pauses."""
    source_pause_db: float | None
    """The same in the source."""
    likeness: float
    """Similarity to the speaker of the recordings, from about 0 to 1."""
    source_likeness: float
    """The same of the source."""


class VoiceReport(Report):
    """``voicegraph voice make --json``."""

    voice: str
    """The voice's file."""
    page: str
    """The report in Markdown."""
    picture: str | None
    """The figure; null without one."""
    seconds: float
    """Wall-clock time of this run."""
    card: SourceFilterCard
    """The voice's card."""
    material: MaterialReport
    """The speech that it was trained on."""
    losses: tuple[Losses, ...]
    """Losses during the training."""
    trials: tuple[Preview, ...] = Field(default=())
    """Conversions of sounds that it was not trained on."""
