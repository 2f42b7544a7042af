"""What the making of a voice did: the model of ``voicegraph voice make --json`` and its page."""

from __future__ import annotations

from pydantic import Field

from .report import Report
from .source_filter_card import SourceFilterCard


class Rejected(Report):
    """A part of a recording that was left out."""

    path: str
    """The recording."""
    start_s: float
    """Where it begins, in seconds."""
    end_s: float
    """Where it ends."""
    reason: str
    """`too short`, `clipped`, `noisy`, `no voice`, `another speaker`, `several speakers`, or `more
    than is needed`."""
    detail: str
    """The figure behind it."""


class RecordingReport(Report):
    """One recording."""

    path: str
    """The file."""
    seconds: float = 0.0
    """How long it is."""
    speech_s: float = 0.0
    """How much of it is speech, with its short pauses."""
    used_s: float = 0.0
    """How much of it the voice is made of."""
    rate_hz: int = 0
    """Samples a second."""
    channels: int = 0
    """Its channels; they are mixed."""
    band_hz: float = 0.0
    """Up to where there is speech in it."""
    error: str = ""
    """Why it cannot be read; empty if it can."""
    notes: tuple[str, ...] = ()
    """What a person should know."""


class MaterialReport(Report):
    """What a voice is made of, and what is left out."""

    recordings: tuple[RecordingReport, ...]
    """All that were looked at."""
    rejected: tuple[Rejected, ...]
    """What was left out, in order."""
    utterances: int
    """How many are used."""
    used_s: float
    """How long they are together."""
    share: float
    """Of the speech that is good enough, how much is the main speaker's."""
    notes: tuple[str, ...] = ()
    """What a person should know of it all."""

    @property
    def speech_s(self) -> float:
        """All speech that was found."""
        return sum(found.speech_s for found in self.recordings)

    def reasons(self) -> dict[str, float]:
        """Seconds that were left out for each reason, most first."""
        found: dict[str, float] = {}
        for part in self.rejected:
            found[part.reason] = found.get(part.reason, 0.0) + part.end_s - part.start_s
        return dict(sorted(found.items(), key=lambda item: -item[1]))


class Losses(Report):
    """How far the voice was from held-out speech, at one moment of its training."""

    step: int
    """Steps done."""
    seconds: int
    """They took by the clock."""
    training: float | None
    """Loss of the last batch; null at the end."""
    clean: float
    """Loss from features of the speech itself."""
    perturbed: float
    """From features of a copy with another voice."""
    streaming: float
    """The same as a stream has them."""


class Trial(Report):
    """One sound, converted with the voice."""

    name: str
    """What it is."""
    phone_error: float
    """Edits that bring the phones of the result to those of the source, for each of the source's;
    by the same encoder that the voice was trained on, so not independent."""
    f0_error_cents: float | None
    """Median distance between the melodies, apart from the register; null without any pitch."""
    voicing: float
    """Share of frames whose voicing is the same."""
    pause_db: float | None
    """Level in pauses, relative to speech; null if there are none."""
    source_pause_db: float | None
    """The same in the source."""
    likeness: float
    """To the speaker of the recordings, from about 0 to 1."""
    source_likeness: float
    """The same of the source."""


class VoiceReport(Report):
    """``voicegraph voice make --json``."""

    voice: str
    """The file that was written."""
    page: str
    """The page about it."""
    picture: str | None
    """Its picture; null without one."""
    seconds: float
    """What this run took by the clock."""
    card: SourceFilterCard
    """The voice's card."""
    material: MaterialReport
    """What it was made of."""
    losses: tuple[Losses, ...]
    """Its training."""
    trials: tuple[Trial, ...] = Field(default=())
    """What it does to sounds that it was not trained on."""
