"""Results of conversions of files: ``voicegraph run --json`` and ``demo --json``."""

from __future__ import annotations

from voicegraph.schemas.report import ProblemReport, Report


class SoundFile(Report):
    """A sound file that was read or written."""

    path: str
    """The file, as given."""
    encoding: str
    """Container and encoding by their names in libsndfile."""
    rate_hz: int
    """Samples a second."""
    channels: int
    """Number of channels."""
    frames: int
    """Samples a channel."""
    seconds: float
    """Duration."""


class FileReport(Report):
    """One file through one pipeline."""

    pipeline: str
    """Name of the pipeline."""
    plan: str
    """Hash of the compiled plan."""
    source: SoundFile
    """The input; frames and seconds are what was read."""
    target: SoundFile
    """The output."""
    latency_ms: float
    """Algorithmic latency, for which the output is compensated."""
    process_s: float
    """Time taken, without loading and warm-up."""
    real_time_factor: float
    """``process_s`` per second of input; below 1 is faster than real time."""
    peak_db: float | None
    """Peak before clipping, in dB of full scale; null is silence."""
    clipped: int
    """Output values beyond full scale, set to full scale."""
    silenced_blocks: int
    """Blocks with NaN or infinity that were replaced by silence."""
    stopped: bool
    """Whether it was interrupted; the output ends there."""
    taps: dict[str, str]
    """Tapped port -> file."""
    trace: str | None
    """The trace file."""
    notes: tuple[str, ...]
    """Notes for the user."""


class FailedFile(Report):
    """A file that could not be converted."""

    path: str
    """The input."""
    error: str
    """Class of the error."""
    exit_code: int
    """Exit code that this error alone would give."""
    problems: list[ProblemReport]
    """The problems."""


class RunReport(Report):
    """All results of one ``voicegraph run``."""

    files: list[FileReport]
    """Files that were written."""
    failed: list[FailedFile]
    """Files that were not."""
    skipped: int
    """Files in folders that are not audio."""
    stopped: bool
    """Whether Ctrl-C ended the run."""
